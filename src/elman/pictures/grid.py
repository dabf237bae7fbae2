"""Many small images in one PNG.

Key: N images, H rows of pixels, W pixels in a row.
"""

from math import ceil
from pathlib import Path

import numpy as np
from torch import Tensor

from elman.data import replacing

GAP = 2
"""Grey pixels between images."""
LEAST = 600
"""Pixels that a grid is wide at least: small images are drawn larger."""


def draw_grid(path: Path, images: Tensor, columns: int) -> None:
    """Images of bytes (N, H, W) side by side, row by row, as a PNG.

    Example:
        >>> import tempfile, torch
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     draw_grid(Path(folder) / "a.png", torch.zeros(5, 8, 8, dtype=torch.uint8), 3)
    """
    from PIL import Image

    count, height, width = images.shape
    columns = min(columns, count)
    rows = ceil(count / columns)
    sheet = np.full((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP), 128, np.uint8)
    for number, image in enumerate(images.numpy()):
        top, left = number // columns * (height + GAP), number % columns * (width + GAP)
        sheet[top : top + height, left : left + width] = image
    zoom = max(1, ceil(LEAST / sheet.shape[1]))
    with replacing(path) as temporary:
        Image.fromarray(sheet.repeat(zoom, 0).repeat(zoom, 1)).save(temporary, format="PNG")
