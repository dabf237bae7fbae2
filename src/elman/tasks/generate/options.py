"""The settings of the task `generate`."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from elman.data import Units
from elman.tasks.decoding import Sampling
from elman.tasks.network_options import NetworkOptions
from elman.tasks.options import Count, Share, WholeOrNone, check_kind, size_of
from elman.tasks.text_options import TextOptions

ACTING = {
    "text": ("units", "vocabulary_size", "min_count", "examples", "max_length", "cut", "word_dropout"),
    "text sound": ("window", "tied", "embedding_size"),
    "images": ("levels",),
    "images video": ("image_size",),
    "video": ("given", "ahead", "guided", "every", "patch", "kernel"),
}
"""What some options act on."""


class GenerateOptions(NetworkOptions, TextOptions):
    """What is learned from texts, chords, sounds, images or videos, and with what."""

    reading: ClassVar[tuple[str, ...]] = ("examples", "max_length", "cut", "image_size", "every")
    fixed: ClassVar[tuple[str, ...]] = (*NetworkOptions.fixed, "tied", "patch", "kernel")
    learned: ClassVar[tuple[str, ...]] = (*TextOptions.learned, "kind", "levels")

    kind: Literal["text", "chords", "images", "video"] = "text"
    """What is learned and written on: text, chords of notes, images, or videos."""
    units: Units = "character"
    """What one step reads or writes: a character, a byte, a word between white space, or a byte-pair unit."""
    examples: Literal["stream", "line"] = "stream"
    """The text is one stream, or each line is an example of its own that starts without memory."""
    max_length: Count | None = None
    """Units of a line that are read at most; how many are cut is said."""
    cut: Literal["start", "end"] = "end"
    """The side on which a line that is too long is cut."""
    batch_size: Count = 32
    """How many places of the text, or how many examples, are read side by side."""
    window: Count = 100
    """Steps after which back-propagation through time is cut; the state is carried on."""
    tied: bool = False
    """Use the units' vectors in the output layer too; the last layer is then as wide as they are."""
    image_size: str | None = None
    """Rows and columns that images in folders are made to, such as 28x28; all must be alike when nothing is said."""
    levels: Annotated[int, Field(ge=2, le=256)] = 2
    """Shades of grey; of 2, each pixel is once drawn by chance, white as often as it is bright."""
    given: Count = 10
    """Frames of a video that are read before the next ones are expected."""
    ahead: Count = 10
    """Frames of a video that are expected behind them, in training and for scores."""
    guided: WholeOrNone = 0
    """Epochs at first in which each frame of a video is expected from true ones only, which is learned faster."""
    every: Count = 1
    """One of so many frames of a video is read."""
    patch: Count = 4
    """Pixels along the side of a square of a frame that is one place of a map."""
    kernel: Count = 3
    """Places of a map that each place sees at a step, along the side of a square; odd."""

    @model_validator(mode="after")
    def _options_that_act(self) -> Self:
        if self.max_length and self.examples != "line":
            raise ValueError("max_length acts on lines only; add examples = line, or leave it away")
        size_of(self.image_size)
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel expects an odd number; received {self.kernel}")
        check_kind(self, self.kind, ACTING)
        return self


class Writing(Sampling):
    """How a model writes on."""

    length: Annotated[int, Field(ge=0)] | None = None
    """Units, chords or samples to write at most; 500 units, 64 chords or a second when nothing is said."""
    stop: str | None = None
    """A text at which writing ends; it is not put out."""
    count: Count = 64
    """Images to make, where none is given to go on with."""
    kept: Share = 0.5
    """Share of a given image that stays, its upper rows."""
    given: Count | None = None
    """Frames of a video that are read before others are written; as in training when nothing is said."""
    unusual: bool = False
    """Say of each frame of a video, or new step of a series, how far off the model was, and whether that is unusual."""
