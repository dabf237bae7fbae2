"""Which source units a target unit looked at: a heat map of attention, as Bahdanau et al. (2015) show it.

Key: T target units, S source units.
"""

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from elman.errors import ShapeError
from elman.pictures.heat_map import draw_heat_map


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
    draw_heat_map(path, source, target, weights.detach().float().cpu().numpy(), "weight", title)


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
