"""A model as a service: answers over HTTP, several requests at once in one call of the network."""
