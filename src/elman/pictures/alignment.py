"""Which source units a target unit looked at: a heat map of attention, as Bahdanau et al. (2015) show it.

Key: T target units, S source units.
"""

import textwrap
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from elman.errors import ShapeError
from elman.pictures.canvas import new_map, save
from elman.pictures.fonts import Lettering, find_fonts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

CELL, WIDEST = 0.4, 20.0
"""Inches of a cell, and of all cells in a row: many units make small cells."""
LARGEST = 11.0
"""Points of a letter."""
LONGEST = 24
"""Characters of a unit that are shown."""


def draw_alignment(path: Path, source: Sequence[str], target: Sequence[str], weights: Tensor, title: str = "") -> None:
    """Attention weights as a PNG: a row for each target unit, a column for each source unit.

    Args:
        path: Where the picture goes.
        source: S units, of any script.
        target: T units.
        weights: (T, S); what is not a number is grey.
        title: Stands above.

    Raises:
        ShapeError: There are no units, or the weights do not fit them.

    Example:
        >>> import tempfile, torch
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     draw_alignment(Path(folder) / "alignment.png", ["a", "dog"], ["ein", "Hund"], torch.eye(2))
    """
    _check(source, target, weights)
    letters = find_fonts([*source, *target, title])
    cell = min(CELL, WIDEST / max(len(source), len(target)))
    figure, axes, bar = new_map(cell * len(source), cell * len(target))
    image = _draw_weights(axes, weights.detach().float().cpu().numpy())
    figure.colorbar(image, cax=bar, label="weight")
    _name_cells(axes, source, target, letters, cell)
    axes.set_title(textwrap.fill(letters.label(title), 60), **letters.style)
    save(figure, path, around=True)


def _check(source: Sequence[str], target: Sequence[str], weights: Tensor) -> None:
    expected = len(target), len(source)
    if not all(expected):
        raise ShapeError(
            f"an alignment expects source and target units; received {expected[1]} and {expected[0]}; "
            "leave empty texts out"
        )
    if tuple(weights.shape) != expected:
        raise ShapeError(
            f"weights expects {expected}, target by source units; received {tuple(weights.shape)}; "
            "transpose it, or cut off what belongs to padding"
        )


def _draw_weights(axes: "Axes", values: np.ndarray) -> "AxesImage":
    from matplotlib import colormaps

    known = values[np.isfinite(values)]
    low, high = known.min(initial=0), known.max(initial=0)
    colours = colormaps["Blues"].with_extremes(bad="lightgrey")
    return axes.imshow(values, colours, vmin=low, vmax=high if high > low else 1, aspect="auto")


def _name_cells(axes: "Axes", source: Sequence[str], target: Sequence[str], letters: Lettering, cell: float) -> None:
    """Labels beside and above, and a fine line between cells."""
    above, beside = ([_short(letters.label(unit)) for unit in units] for units in (source, target))
    points = max(1.0, min(LARGEST, 0.6 * 72 * cell))
    steep = max(map(_ems, above)) * points / 72 > 0.9 * cell
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
