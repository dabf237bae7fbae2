"""A state on the unit sphere; nobody's paper."""

from torch import Tensor, nn

from elman.engine import Cell, State


class NormPreserving(Cell):
    """The state moves, and is put back to length one.

        u = h_{t-1} + W x_t + R h_{t-1} + b;  h_t = u / |u|

    Shapes: x (B, I), output h (B, H), state (h,).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.from_input = nn.Linear(input_size, hidden_size)
        self.from_past = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        (h,) = state
        u = h + self.from_input(x) + self.from_past(h)
        h = u / u.norm(dim=-1, keepdim=True)
        return h, (h,)
