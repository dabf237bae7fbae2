"""An empty picture, its legend, and how it is written: whole or not at all."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from elman.data import replacing
from elman.pictures.fonts import Lettering

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def new_plot() -> "tuple[Figure, Axes]":
    """A figure of 7 by 4 inches with one pair of axes, labels inside."""
    from matplotlib.figure import Figure  # half a second to import, and not every command draws

    figure = Figure(figsize=(7, 4), layout="constrained")
    return figure, figure.add_subplot()


def new_map(width: float, height: float) -> "tuple[Figure, Axes, Axes]":
    """A figure whose map is so many inches, with a colour bar's place at its right; labels come around it."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    bar = min(max(height, 1.2), 3)
    return (
        figure,
        figure.add_axes((0, 0, 1, 1)),
        figure.add_axes((1 + 0.2 / width, 1 - bar / height, 0.15 / width, bar / height)),
    )


def add_legend(axes: "Axes", lines: "Sequence[Artist]", names: Sequence[str], letters: Lettering) -> None:
    """A legend whose names are any text: no formula, and none left out for the sign it begins with."""
    legend = axes.legend(lines, [letters.label(name) for name in names], prop={"family": letters.family})
    for text in legend.get_texts():
        text.set_parse_math(False)


def save(figure: "Figure", path: Path, *, around: bool = False) -> None:
    """Write a PNG, 120 dots an inch.

    Args:
        figure: What is drawn.
        path: Where it goes.
        around: Also what stands outside the figure; the picture grows by it.

    Raises:
        RunError: The disk is full, or the folder cannot be written.
    """
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120, bbox_inches="tight" if around else None)
