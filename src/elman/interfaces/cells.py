"""What `elman cells` tells: equation, size, and what runs each cell."""

from typing import Any

from elman.engine import as_cell
from elman.layers import CELLS, explain, find_cell


def describe_cells(name: str | None, input_size: int, hidden_size: int) -> list[dict[str, Any]]:
    """One entry for each cell, or for the one that is named.

    Raises:
        OptionError: There is no cell of that name.
        CellError: It cannot be made with these sizes.
    """
    return [_describe(one, input_size, hidden_size) for one in ([name] if name else CELLS)]


def _describe(name: str, input_size: int, hidden_size: int) -> dict[str, Any]:
    cell = as_cell(find_cell(name)(input_size, hidden_size))
    explanation = explain(cell)
    return {
        "name": name,
        "equation": getattr(cell, "equation", "") or (type(cell).__doc__ or "").strip().partition("\n")[0],
        "parameters": sum(parameter.numel() for parameter in cell.parameters()),
        "state": list(cell.state_shapes),
        "backend": explanation.backend,
        "reason": explanation.reason,
    }
