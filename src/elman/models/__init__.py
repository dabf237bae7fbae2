"""What a task trains: embedding, recurrent body, head."""

from elman.models.language_model import LanguageModel
from elman.models.transformer import TransformerTranslator
from elman.models.translator import Position, RecurrentTranslator, Tied, Translator

__all__ = ["LanguageModel", "Position", "RecurrentTranslator", "Tied", "TransformerTranslator", "Translator"]
