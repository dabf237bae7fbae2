"""Gates that remember for long from the start.

Tallec and Ollivier 2018, "Can recurrent neural networks warp time?".
"""

import torch
from torch import nn

from elman.errors import CellError, OptionError
from elman.layers.cells.gated import GatedCell
from elman.layers.cells.stacked import StackedCell
from elman.layers.cells.update import UpdatingCell


@torch.no_grad()
def chrono_(module: nn.Module, longest: int) -> None:
    """Set the gates of the cells in a module so that each unit forgets after 2 to `longest` steps, by chance.

    The bias of a forget gate is log u, with u drawn between 1 and `longest` - 1, so that it keeps u / (1 + u) of the
    state at each step, and that of an LSTM's input gate -log u; an update gate has log u or -log u, after its meaning.

    Args:
        module: A cell, a layer, or a network.
        longest: Steps; 3 or more.

    Raises:
        CellError: There is no cell of Elman's with a forget gate or an update gate in it.
        OptionError: `longest` is too small.

    Example:
        >>> from elman.layers.cells.lstm import LSTMCell
        >>> cell = LSTMCell(3, 4)
        >>> chrono_(cell, 100)
        >>> bool((torch.sigmoid(cell.bias[cell.rows("forget_gate")]) >= 0.5).all())
        True
    """
    if longest < 3:
        raise OptionError(f"longest expects 3 steps or more; received {longest}")
    cells = [one for one in module.modules() if isinstance(one, StackedCell) and _keeping(one)]
    if not cells:
        raise CellError("no cell here has a forget gate or an update gate to set; take lstm or gru, or set none")
    for cell in cells:
        for gate, sign in _keeping(cell).items():
            cell.bias[cell.rows(gate)] = sign * torch.empty(cell.hidden_size).uniform_(1, longest - 1).log()
        if "input_gate" in cell.gates and not isinstance(cell, GatedCell):  # whose input gate does not write
            cell.bias[cell.rows("input_gate")] = -cell.bias[cell.rows("forget_gate")]


def _keeping(cell: StackedCell) -> dict[str, int]:
    """The gate that keeps the state: 1 where it does when it is open, -1 when it is shut."""
    if isinstance(cell, UpdatingCell):
        return {"update_gate": 1 if cell.update == "keep" else -1}
    return {"forget_gate": 1} if "forget_gate" in cell.gates else {}
