"""What is taken for what: true labels against those that a model gives."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

from elman.errors import ShapeError
from elman.pictures.heat_map import draw_heat_map

FEW = 20
"""So many labels have their counts in the cells."""


def draw_confusion(path: Path, labels: Sequence[str], targets: Tensor, said: Tensor) -> None:
    """A confusion matrix as a PNG: a row for each true label, shaded by how its examples share out.

    Args:
        path: Where the picture goes.
        labels: Names of the classes.
        targets: (N,), true ones by number.
        said: (N,), what the model said.

    Raises:
        ShapeError: There are not as many true labels as given ones.

    Example:
        >>> import tempfile, torch
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     draw_confusion(Path(folder) / "a.png", ["no", "yes"], torch.tensor([0, 1, 1]), torch.tensor([0, 1, 0]))
    """
    if targets.shape != said.shape:
        raise ShapeError(f"expected as many labels as answers; received {tuple(targets.shape)} and {tuple(said.shape)}")
    size = len(labels)
    counts = (targets * size + said).bincount(minlength=size * size).view(size, size).numpy()
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    written = [[f"{count:,}" for count in row] for row in counts] if size <= FEW else None
    names = ("said", "true")
    draw_heat_map(path, labels, labels, shares, "share of the true label", axes_names=names, written=written)
