"""The settings of tasks that read series of numbers from tables."""

from typing import Annotated, ClassVar

from pydantic import Field

from elman.tasks.options import Options


class SeriesOptions(Options):
    """Where numbers and their answers stand, and how they are learned from."""

    reading: ClassVar[tuple[str, ...]] = ("label", "values", "sequence")
    columns: ClassVar[tuple[str, ...]] = ("label", "values", "sequence")

    label: str | None = None
    """The column of answers; "label", or y in .npz, when nothing is said."""
    values: str | None = None
    """Columns of numbers that are read, with commas between them, or rest for all others."""
    sequence: str | None = None
    """The column that says which series a row is a step of."""
    noise: Annotated[float, Field(ge=0)] = 0.0
    """The deviation of noise that is added to numbers in training, where theirs is 1."""
