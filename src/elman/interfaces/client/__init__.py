"""Asking a model that is served elsewhere."""

from elman.interfaces.client.client import Client
from elman.interfaces.client.conversation import Conversation, Said

__all__ = ["Client", "Conversation", "Said"]
