"""Gaussian error linear units, exact and by tanh: Hendrycks and Gimpel 2016."""

from torch import Tensor, nn
from torch.nn import functional as F

from elman.engine import Cell, State


class GELU(Cell):
    """Both forms of the unit in one step.

        h_t = gelu(W x_t + R h_{t-1} + b) - gelu_tanh(V h_{t-1})

    Shapes: x (B, I), output h (B, H), state (h,).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.from_input = nn.Linear(input_size, hidden_size)
        self.from_past = nn.Linear(hidden_size, 2 * hidden_size, bias=False)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        first, second = self.from_past(state[0]).chunk(2, dim=-1)
        h = F.gelu(self.from_input(x) + first) - F.gelu(second, approximate="tanh")
        return h, (h,)
