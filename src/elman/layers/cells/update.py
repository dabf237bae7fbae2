"""What an open update gate z means: keep the old state (Cho et al. 2014, PyTorch), or take the new one (Chung et al.
2014, articles 2 and 4). Both say the same, because σ(-a) = 1 - σ(a).
"""

from copy import deepcopy
from typing import ClassVar, Literal, TypeVar

import torch
from torch import Tensor

from elman.errors import check_option
from elman.layers.cells.stacked import StackedCell

Update = Literal["keep", "take"]
UPDATES = ("keep", "take")


class UpdatingCell(StackedCell):
    """A cell that moves from its old state to a new one by an update gate z.

        "keep": h_t = z∘h_{t-1} + (1-z)∘n
        "take": h_t = (1-z)∘h_{t-1} + z∘n

    Args:
        input_size: I, the width of x.
        hidden_size: H, the width of h, which is both output and state.
        update: What z = 1 means.

    Raises:
        CellError: A size is not a positive whole number.
        OptionError: The meaning is unknown.
    """

    gates: ClassVar[tuple[str, ...]] = ("update_gate",)

    def __init__(self, input_size: int, hidden_size: int, *, update: Update) -> None:
        check_option("update", update, UPDATES)
        super().__init__(input_size, hidden_size)
        self.update: Update = update

    def updated(self, z: Tensor, old: Tensor, new: Tensor) -> Tensor:
        """The state between the old and the new one."""
        return z * old + (1 - z) * new if self.update == "keep" else (1 - z) * old + z * new


C = TypeVar("C", bound=UpdatingCell)


def convert_update(cell: C) -> C:
    """The cell of the other convention that computes the same states: z's weights and bias change their sign.

    Args:
        cell: A `GRUCell` or an `UpdateGateCell`; it stays as it is.

    Example:
        >>> from elman.layers.cells.gru import GRUCell
        >>> convert_update(GRUCell(3, 4, update="keep")).update
        'take'
    """
    other = deepcopy(cell)
    other.update = "take" if cell.update == "keep" else "keep"
    with torch.no_grad():
        for parameter in (other.weight_ih, other.weight_hh, other.bias):
            parameter[other.rows("update_gate")].neg_()
    return other
