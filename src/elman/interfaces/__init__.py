"""Where people meet Elman: the command line."""

from elman.interfaces.cli import app, main

__all__ = ["app", "main"]
