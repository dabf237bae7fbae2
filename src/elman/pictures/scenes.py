"""Pictures beside the classes of their pixels: what is there, and what a network sees."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from elman.pictures.canvas import save

if TYPE_CHECKING:
    pass

SIDE = 1.6
"""Inches of a picture."""


def draw_scenes(path: Path, rows: Sequence[tuple[Tensor, ...]], titles: Sequence[str], classes: int) -> None:
    """Rows of a picture and masks, as a PNG.

    Args:
        path: Where the picture goes.
        rows: Each a picture (H, W, C) of bytes, and masks (H, W) of numbers of classes.
        titles: What stands above each column.
        classes: How many there are; each has a colour of its own.

    Example:
        >>> import tempfile, torch
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     picture, mask = torch.zeros(8, 8, 1, dtype=torch.uint8), torch.ones(8, 8, dtype=torch.long)
        ...     draw_scenes(Path(folder) / "a.png", [(picture, mask)], ["picture", "seen"], 2)
    """
    from matplotlib.figure import Figure

    figure: Figure = Figure(figsize=(SIDE * len(titles), SIDE * len(rows) + 0.3), layout="constrained")
    cells = figure.subplots(len(rows), len(titles), squeeze=False)
    for line, (picture, *masks) in zip(cells, rows, strict=True):
        line[0].imshow(picture.squeeze(2).numpy(), cmap="gray", vmin=0, vmax=255)
        for axes, mask in zip(line[1:], masks, strict=True):
            axes.imshow(mask.numpy(), cmap="tab20", vmin=0, vmax=max(1, classes - 1), interpolation="nearest")
        for axes in line:
            axes.set_axis_off()
    for axes, title in zip(cells[0], titles, strict=True):
        axes.set_title(title, fontsize=9)
    save(figure, path)
