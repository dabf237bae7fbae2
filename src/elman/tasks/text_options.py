"""The settings of tasks that read text: what its units are."""

from collections.abc import Sequence
from typing import ClassVar, Self

from pydantic import model_validator

from elman.data import Tokenizer, Units
from elman.tasks.options import Count, Options


class TextOptions(Options):
    """What one step reads or writes."""

    learned: ClassVar[tuple[str, ...]] = ("units", "vocabulary_size", "min_count")

    units: Units = "bpe"
    """What one step reads or writes: a character, a byte, a word between white space, or a byte-pair unit."""
    vocabulary_size: Count | None = None
    """Keep at most this many units; byte-pair units stop at 4,000 when nothing is said."""
    min_count: Count = 1
    """Words or characters seen less often read as <unk>."""

    @model_validator(mode="after")
    def _units_that_act(self) -> Self:
        if self.vocabulary_size and self.units == "byte":
            raise ValueError("vocabulary_size does not act on bytes, there are always 256; leave it away")
        if self.min_count > 1 and self.units in ("byte", "bpe"):
            raise ValueError(f"min_count does not act on units = {self.units}; leave it away")
        return self

    def learn_tokenizer(self, text: str, *, unknown: bool) -> Tokenizer:
        """The units of a training text.

        Args:
            text: All of it, line by line.
            unknown: Have an <unk> among words and characters in any case.
        """
        size, least = self.vocabulary_size, self.min_count
        return Tokenizer.learn(text, self.units, vocabulary_size=size, min_count=least, unknown=unknown)

    def learn_lines(self, texts: Sequence[str]) -> Tokenizer:
        """The units of texts that each begin and end by themselves."""
        return self.learn_tokenizer("\n".join((*texts, "")), unknown=True)
