"""Units of text and their numbers."""
