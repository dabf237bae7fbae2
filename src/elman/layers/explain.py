"""Which path a layer takes, and why."""

from torch import nn

from elman.engine import Cell, Explanation, explain_scan
from elman.errors import CellError


def explain(layer: nn.Module) -> Explanation:
    """What would run this layer's cells now, and the reason.

    Args:
        layer: `Recurrent`, one of the drop-ins, or a cell.

    Raises:
        CellError: The module is neither.

    Example:
        >>> from elman.layers import LSTM
        >>> explain(LSTM(3, 4)).backend
        'llvm'
    """
    cells = [layer] if isinstance(layer, Cell) else list(getattr(layer, "cells", []))
    if not cells:
        raise CellError(f"expected an elman layer or cell; received {type(layer).__name__}")
    return explain_scan(cells[0])
