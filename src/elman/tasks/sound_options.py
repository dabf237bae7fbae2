"""The settings of tasks that listen."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from elman.tasks.options import Count, Options, Share, WholeOrNone


class SoundOptions(Options):
    """Where recordings stand, and how they are heard."""

    reading: ClassVar[tuple[str, ...]] = ("path", "rate", "bands")
    columns: ClassVar[tuple[str, ...]] = ("path",)
    learned: ClassVar[tuple[str, ...]] = ("rate", "bands", "normalise")

    path: str | None = None
    """The column of paths to recordings or videos, in a table of them."""
    rate: Annotated[int, Field(ge=1000)] | None = None
    """Samples a second that recordings are brought to; theirs, 16,000 at most, when nothing is said."""
    bands: Count = 40
    """Bands of pitch in which a recording's power is heard."""
    normalise: Literal["training", "recording"] = "training"
    """Bring bands to a mean of 0 and a deviation of 1 over what training hears, or over each recording by itself."""
    speeds: Share = 0.0
    """Training plays each recording up to so much faster or slower, such as 0.1, in each epoch anew."""
    masks: WholeOrNone = 0
    """Stretches of time, and as many of pitch, that training blanks in each recording (SpecAugment)."""
