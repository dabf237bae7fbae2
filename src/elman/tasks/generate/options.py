"""The settings of the task `generate`."""

from typing import Annotated, Any, ClassVar, Literal, Self

import torch
from pydantic import Field, model_validator

from elman.data import Units
from elman.layers import find_cell
from elman.models import LanguageModel
from elman.tasks.decoding import Sampling
from elman.tasks.network_options import NetworkOptions
from elman.tasks.options import Count, Options, Seed, Share, WholeOrNone, check_kind, size_of
from elman.tasks.text_options import TextOptions

ACTING = {
    "text": ("units", "vocabulary_size", "min_count", "examples", "max_length", "cut", "word_dropout"),
    "text sound": ("window", "tied", "embedding_size"),
    "chords": ("transpose",),
    "sound": ("rate",),
    "images": ("levels",),
    "images video": ("image_size",),
    "video": ("given", "ahead", "guided", "every", "patch", "kernel"),
}
"""What some options act on."""


SHAPE = ("embedding_size", "hidden_size", "num_layers", "tied", "word_dropout", "input_dropout", "dropout")
SHAPE += ("output_dropout", "variational", "recurrent_dropout", "zoneout", "weight_drop", "residual")
"""Options that a language model knows."""


class GenerateOptions(NetworkOptions, TextOptions):
    """What is learned from texts, chords, sounds, images or videos, and with what."""

    reading: ClassVar[tuple[str, ...]] = ("examples", "max_length", "cut", "image_size", "transpose", "every")
    fixed: ClassVar[tuple[str, ...]] = (*NetworkOptions.fixed, "tied", "patch", "kernel")
    learned: ClassVar[tuple[str, ...]] = (*TextOptions.learned, "kind", "levels", "rate")

    kind: Literal["text", "chords", "sound", "images", "video"] = "text"
    """What is learned and written on: text, chords of notes, sound, images, or videos."""
    units: Units = "character"
    """What one step reads or writes: a character, a byte, a word between white space, or a byte-pair unit."""
    examples: Literal["stream", "line", "paragraph"] = "stream"
    """The text is one stream, or each line, or what stands between empty lines, starts without memory."""
    max_length: Count | None = None
    """Units of an example that are read at most; how many are cut is said."""
    cut: Literal["start", "end"] = "end"
    """The side on which an example that is too long is cut."""
    batch_size: Count = 32
    """How many places of the text, or how many examples, are read side by side."""
    window: Count = 100
    """Steps after which back-propagation through time is cut; the state is carried on."""
    tied: bool = False
    """Use the units' vectors in the output layer too; the last layer is then as wide as they are."""
    rate: Annotated[int, Field(ge=1000)] | None = None
    """Samples a second that recordings are brought to; theirs, 16,000 at most, when nothing is said."""
    transpose: WholeOrNone = 0
    """Semitones that a piece of music is moved at most in training, every epoch anew."""
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
        if self.max_length and self.examples == "stream":
            raise ValueError("max_length acts on examples; add examples = line or paragraph, or leave it away")
        size_of(self.image_size)
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel expects an odd number; received {self.kernel}")
        check_kind(self, self.kind, ACTING)
        return self

    def language_model(self, units: int) -> LanguageModel:
        """What expects one of so many units after others."""
        return LanguageModel(units, find_cell(self.cell), **self.model_dump(include={*SHAPE}))


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
    """Say of each frame, or moment of a sound, how wrong the model was, and whether that is unusual."""


class Start(Options):
    """Where what is made starts."""

    seed: Seed = 0
    """The same seed makes the same again."""


def generator_of(seed: Any) -> torch.Generator:
    """Where chance comes from.

    Raises:
        OptionError: The seed is no whole number from 0.
    """
    return torch.Generator().manual_seed(Start.of({"seed": seed}).seed)
