"""The settings of the task `transcribe`."""

from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, field_validator, model_validator

from elman.data import Units
from elman.tasks.body_options import BodyOptions
from elman.tasks.options import Count, Options, WholeOrNone
from elman.tasks.sound_options import SoundOptions
from elman.tasks.text_options import TextOptions


class TranscribeOptions(SoundOptions, BodyOptions, TextOptions):
    """What is learned from recordings and their texts, and with what."""

    reading: ClassVar[tuple[str, ...]] = (*SoundOptions.reading, "text")
    columns: ClassVar[tuple[str, ...]] = (*SoundOptions.columns, "text")
    learned: ClassVar[tuple[str, ...]] = (*TextOptions.learned, *SoundOptions.learned)
    fixed: ClassVar[tuple[str, ...]] = (*BodyOptions.fixed, "bidirectional", "together", "ahead")

    text: str | None = None
    """The column of texts; "text" when nothing is said."""
    units: Units = "character"
    """What is written at a time: a character, a byte, a word between white space, or a byte-pair unit."""
    together: Count = 3
    """Moments of 10 ms that one step reads."""
    ahead: WholeOrNone = 0
    """Steps to come that each step knows of, where recordings are not read from both ends."""
    bidirectional: bool = True
    """Read from both ends; without, no step knows more than the `ahead` steps to come."""
    batch_size: Count = 16
    """Recordings that are read side by side."""

    @model_validator(mode="after")
    def _what_acts(self) -> Self:
        if not self.bidirectional and self.network != "recurrent":
            raise ValueError("networks other than recurrent ones read whole recordings; leave bidirectional as it is")
        if not self.bidirectional and self.normalise == "recording":
            raise ValueError("normalise = recording needs whole recordings; leave it away, or bidirectional as it is")
        fields = type(self).model_fields
        if self.word_dropout or self.embedding_size != fields["embedding_size"].default:
            raise ValueError("embedding_size and word_dropout act on texts that are read; leave them away")
        if self.ahead and self.bidirectional:
            raise ValueError("ahead acts where recordings are not read from both ends; leave it away, or bidirectional")
        return self


class Transcribing(Options):
    """How it is answered."""

    times: bool = False
    """Say when each word begins and ends, and how sure it is."""
    beam: Count = 1
    """Beginnings of a text that are kept side by side; 1 takes the likeliest unit at each step."""
    language_model: Path | None = None
    """A run of generate with units of the same kind: what it expects of a text counts too."""
    language_weight: Annotated[float, Field(ge=0)] = 0.5
    """What the language model counts beside the sound."""
    word_bonus: float = 0.0
    """How much each word speaks for a text, in nats; below 0, against it."""

    @field_validator("language_model", mode="before")
    @classmethod
    def _as_path(cls, value: Any) -> Any:
        return Path(value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _what_acts(self) -> Self:
        if self.beam == 1 and (self.language_model is not None or self.word_bonus):
            raise ValueError("language_model and word_bonus act on a beam of 2 or more; add beam, such as 8")
        if self.language_model is None and "language_weight" in self.model_fields_set:
            raise ValueError("language_weight acts on a language_model; add one, or leave it away")
        return self
