"""What a task trains: embedding, recurrent body, head."""

from elman.models.language_model import LanguageModel

__all__ = ["LanguageModel"]
