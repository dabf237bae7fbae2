"""The settings of the task `tag`."""

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from elman.tasks.options import Count, Options, WholeOrNone, check_kind, size_of
from elman.tasks.series_options import SeriesOptions
from elman.tasks.word_options import WordOptions

ACTING = {
    "words": ("word", "tag", "predicate", "vectors", "letter_size", "spelling_size", "mark_size", "pair_size", "crf"),
    "scenes": ("patch", "margin"),
    "scenes boxes": ("image_size",),
    "steps": ("answer", "label", "values", "sequence", "noise"),
    "boxes": ("every",),
    "steps boxes": ("max_length",),
    "words steps boxes": ("memory", "bidirectional", "input_dropout"),
}
"""What some options act on."""


class TagOptions(SeriesOptions, WordOptions):
    """What is learned from tagged sentences, and with what."""

    reading: ClassVar[tuple[str, ...]] = (
        *WordOptions.reading,
        *SeriesOptions.reading,
        "word",
        "tag",
        "predicate",
        "image_size",
        "every",
    )
    columns: ClassVar[tuple[str, ...]] = ("word", "tag", "predicate", *SeriesOptions.columns)
    learned: ClassVar[tuple[str, ...]] = ("kind", "answer", "min_count", "vocabulary_size")
    fixed: ClassVar[tuple[str, ...]] = (
        *WordOptions.fixed,
        "letter_size",
        "spelling_size",
        "mark_size",
        "pair_size",
        "crf",
        "bidirectional",
        "patch",
        "margin",
    )

    kind: Literal["words", "scenes", "steps", "boxes"] = "words"
    """What is tagged: words of texts, pixels of pictures, steps of series of numbers; or in videos, with boxes."""
    word: Count = 1
    """The column of words."""
    tag: Count | None = None
    """The column of tags; the last one when nothing is said."""
    predicate: Count | None = None
    """The column that marks predicates, each with a column of its roles behind; so roles are learned."""
    answer: Literal["label", "number"] = "label"
    """What is learned for every step of a series."""
    max_length: Count = 1000
    """Steps of a series, or frames, that are learned at once; longer ones are cut in pieces for training."""
    min_count: Count = 1
    """Words seen less often are unknown; their letters are still read."""
    vocabulary_size: Count | None = None
    """Keep at most this many words."""
    letter_size: WholeOrNone = 32
    """Numbers in a letter's vector; 0 reads no letters, as for texts of single characters."""
    spelling_size: Count = 32
    """Numbers in each direction's output of the network that reads letters."""
    pair_size: WholeOrNone = 0
    """Numbers in the vector of a word with the one before it, which helps where a word is one character; 0 has none."""
    mark_size: Count = 32
    """Numbers in the vector that tells a predicate from other words."""
    bidirectional: bool = True
    """Read sentences from both ends."""
    crf: bool = True
    """Learn which tags follow each other, and choose all tags of a sentence together."""
    patch: Count = 2
    """Pixels along the side of a square of a picture that is read at once."""
    margin: WholeOrNone = 0
    """Pixels on each side of such a square that are read with it."""
    image_size: str | None = None
    """Rows and columns that pictures, masks and frames are made to, such as 64x64; else all must be alike."""
    every: Count = 1
    """One of so many frames of a video is read."""
    batch_size: Count = 32
    """Sentences, pictures, series or videos that are read side by side."""

    @model_validator(mode="after")
    def _options_that_act(self) -> Self:
        size_of(self.image_size)
        check_kind(self, self.kind, ACTING)
        return self


class Tagging(Options):
    """How it is answered."""

    confidence: bool = False
    """Say how probable each stretch or tag is."""
    n_best: Count | None = None
    """Give so many ways to tag a text, the best first, each with its probability."""
