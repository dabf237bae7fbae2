"""Numbers as shades: a row and a column of names, and a cell for each two.

Key: R rows, C columns.
"""

import textwrap
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from elman.pictures.canvas import new_map, save
from elman.pictures.fonts import Lettering, find_fonts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

CELL, WIDEST = 0.4, 20.0
"""Inches of a cell, and of all cells in a row: many names make small cells."""
LARGEST = 11.0
"""Points of a letter."""
LONGEST = 24
"""Characters of a name that are shown."""


def draw_heat_map(
    path: Path,
    above: Sequence[str],
    beside: Sequence[str],
    values: np.ndarray,
    meaning: str,
    title: str = "",
    *,
    axes_names: tuple[str, str] = ("", ""),
    written: Sequence[Sequence[str]] | None = None,
) -> None:
    """A heat map as a PNG.

    Args:
        path: Where the picture goes.
        above: C names, of any script.
        beside: R names.
        values: (R, C); what is not a number is grey.
        meaning: What a shade is.
        title: Stands above.
        axes_names: What stands above, and what beside.
        written: R rows of C texts, in the cells.
    """
    letters = find_fonts([*above, *beside, title])
    wide = 2 if written else 1
    cell = min(CELL, WIDEST / max(len(above) * wide, len(beside)))
    figure, axes, bar = new_map(cell * wide * len(above), cell * len(beside))
    image = _draw_shades(axes, values)
    figure.colorbar(image, cax=bar, label=meaning)
    _name_cells(axes, above, beside, letters, cell, wide)
    for row, texts in enumerate(written or ()):
        for column, text in enumerate(texts):
            dark = values[row, column] > image.get_clim()[1] / 2
            axes.text(column, row, text, ha="center", va="center", color="white" if dark else "black", fontsize=9)
    axes.set_title(textwrap.fill(letters.label(title), 60), **letters.style)
    axes.xaxis.set_label_position("top")
    axes.set_xlabel(axes_names[0])
    axes.set_ylabel(axes_names[1])
    save(figure, path, around=True)


def _draw_shades(axes: "Axes", values: np.ndarray) -> "AxesImage":
    from matplotlib import colormaps

    known = values[np.isfinite(values)]
    low, high = known.min(initial=0), known.max(initial=0)
    colours = colormaps["Blues"].with_extremes(bad="lightgrey")
    return axes.imshow(values, colours, vmin=low, vmax=high if high > low else 1, aspect="auto")


def _name_cells(
    axes: "Axes", columns: Sequence[str], rows: Sequence[str], letters: Lettering, cell: float, wide: int
) -> None:
    """Names beside and above, and a fine line between cells."""
    above, beside = ([_short(letters.label(name)) for name in names] for names in (columns, rows))
    points = max(1.0, min(LARGEST, 0.6 * 72 * cell))
    steep = max(map(_ems, above)) * points / 72 > 0.9 * cell * wide
    tilt = {"rotation": 60, "ha": "left", "rotation_mode": "anchor"} if steep else {}
    axes.xaxis.tick_top()
    axes.set_xticks(range(len(above)), above, fontsize=points, **letters.style, **tilt)
    axes.set_yticks(range(len(beside)), beside, fontsize=points, **letters.style)
    axes.set_xticks(np.arange(1, len(above)) - 0.5, minor=True)
    axes.set_yticks(np.arange(1, len(beside)) - 0.5, minor=True)
    axes.grid(which="minor", color="lightgrey", linewidth=0.4)
    axes.tick_params(which="both", length=0)


def _short(label: str) -> str:
    return label if len(label) <= LONGEST else label[: LONGEST - 1] + "…"


def _ems(label: str) -> float:
    """Roughly how wide a label is, in sizes of its letters."""
    return sum(1.0 if unicodedata.east_asian_width(letter) in "WF" else 0.6 for letter in label)
