"""The settings of the task `classify`."""

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from elman.tasks.inputs import Scan, Side
from elman.tasks.options import Count, Options, Share, size_of
from elman.tasks.series_options import SeriesOptions
from elman.tasks.sound_options import SoundOptions
from elman.tasks.text_options import TextOptions
from elman.tasks.word_options import WordOptions


class ClassifyOptions(SoundOptions, SeriesOptions, WordOptions, TextOptions):
    """What is learned from sequences with an answer each, and with what."""

    reading: ClassVar[tuple[str, ...]] = (
        *(*WordOptions.reading, *SeriesOptions.reading, *SoundOptions.reading),
        *("text", "image_size", "every", "max_length", "cut"),
    )
    columns: ClassVar[tuple[str, ...]] = ("text", *SeriesOptions.columns, *SoundOptions.columns)
    learned: ClassVar[tuple[str, ...]] = (*TextOptions.learned, *SoundOptions.learned, "answer", "scan")
    fixed: ClassVar[tuple[str, ...]] = (*WordOptions.fixed, "pooling", "bidirectional", "sentence_ends")

    text: str | None = None
    """The column of texts; "text" when nothing is said."""
    answer: Literal["label", "labels", "number"] = "label"
    """What is learned: one label, several with commas between them, or a number."""
    scan: Scan = "row"
    """How an image is read: a row of pixels at each step, or one pixel."""
    image_size: str | None = None
    """Rows and columns that images in folders and frames are made to, such as 28x28; else all must be alike."""
    every: Count = 1
    """One of so many frames of a video is read."""
    max_length: Count = 1000
    """Steps that are read at most; how many are cut is said."""
    cut: Side = "end"
    """The side on which a sequence that is too long is cut."""
    batch_size: Count = 32
    """Sequences that are read side by side."""
    bidirectional: bool = True
    """Read from both ends."""
    pooling: Literal["last", "mean", "max", "concat", "attention", "hierarchical"] = "max"
    """What the steps come to: one of them, all, or words to sentences to a text."""
    sentence_ends: str = ". ! ? 。 ！ ？"
    """Units that end a sentence, with spaces between them, for pooling = hierarchical."""
    class_weights: Literal["none", "balanced"] = "none"
    """Let each label count as often as it comes, or rare ones as much as others."""
    label_smoothing: Share = 0.0
    """Share of the target that is spread over all labels in training."""

    @model_validator(mode="after")
    def _options_that_act(self) -> Self:
        if self.image_size is not None:
            size_of(self.image_size)
        if self.vectors and self.units != "word":
            raise ValueError(f"vectors expects units = word; received {self.units}; leave one of them away")
        if self.answer == "number" and (self.class_weights != "none" or self.label_smoothing):
            raise ValueError("class_weights and label_smoothing act on labels; leave them away for answer = number")
        if self.pooling == "hierarchical" and (self.num_layers > 1 or self.residual or not self.bidirectional):
            raise ValueError("pooling = hierarchical has a layer for words and one for sentences, in both directions")
        if self.pooling == "hierarchical" and (self.memory or self.noise or self.masks):
            raise ValueError("memory, noise and masks do not act on pooling = hierarchical; leave them away")
        return self


class Classifying(Options):
    """How it is answered."""

    probabilities: bool = False
    """Give the probability of every label."""
    threshold: Share = 0.0
    """Give no label where the best one is less probable than this."""
