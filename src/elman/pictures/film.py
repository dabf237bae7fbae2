"""Frames of videos in strips: what was given, what came, what was expected."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from elman.errors import OptionError
from elman.pictures.canvas import save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIDE = 0.7
"""Inches of a frame."""


def draw_film(
    path: Path,
    strips: Sequence[tuple[str, Tensor]],
    borders: Sequence[int] = (),
    boxes: Sequence[Sequence[tuple[Tensor, Tensor]]] = (),
) -> None:
    """Strips of frames one under the other, as a PNG.

    Args:
        path: Where the picture goes.
        strips: What stands beside each, and its frames (T, H, W, C) of bytes; shorter strips lie at the right.
        borders: Frames before which a line is drawn, counted from the left.
        boxes: Of every frame of each strip where something is, and where it was seen: left, top, right and bottom in
            pixels, NaN where nobody knows.

    Raises:
        OptionError: There is no strip.

    Example:
        >>> import tempfile, torch
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     draw_film(Path(folder) / "a.png", [("is", torch.zeros(3, 8, 8, 1, dtype=torch.uint8))])
    """
    from matplotlib.figure import Figure

    if not strips:
        raise OptionError("strips expects at least one; received none")
    longest = max(len(frames) for _, frames in strips)
    _, height, width, _ = strips[0][1].shape
    tall = SIDE * height / width
    figure = Figure(figsize=(SIDE * longest + 0.8, (tall + 0.06) * len(strips) + 0.3), layout="constrained")
    rows = np.atleast_1d(figure.subplots(len(strips), 1))
    for axes, (name, frames) in zip(rows, strips, strict=True):
        axes.imshow(_strip(frames, longest), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        axes.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
        axes.set_xticks([], [])
        axes.set_yticks([], [])
        for spine in axes.spines.values():
            spine.set_visible(False)
        for border in borders:
            axes.axvline(border * (width + 1) - 1, color="C0", linewidth=1.5)
    for axes, pairs in zip(rows, boxes, strict=False):
        for place, pair in enumerate(pairs, longest - len(pairs)):
            for box, colour in zip(pair, ("C2", "C3"), strict=True):
                _frame(axes, box, place * (width + 1), colour)
    save(figure, path)


def _frame(axes: "Axes", box: Tensor, first: int, colour: str) -> None:
    """Around a box, in a strip whose frame begins at a column."""
    from matplotlib.patches import Rectangle

    left, top, right, bottom = box.tolist()
    if left == left:
        axes.add_patch(Rectangle((left + first - 0.5, top - 0.5), right - left, bottom - top, fill=False, color=colour))


def _strip(frames: Tensor, longest: int) -> np.ndarray:
    """(H, all W) or (H, all W, C), a light line between two frames, light before the first one of a short strip."""
    count, height, width, colours = frames.shape
    strip = np.full((height, longest * (width + 1) - 1, colours), 230, np.uint8)
    for place, frame in enumerate(frames.numpy(), longest - count):
        strip[:, place * (width + 1) : place * (width + 1) + width] = frame
    return strip.squeeze(2) if colours == 1 else strip
