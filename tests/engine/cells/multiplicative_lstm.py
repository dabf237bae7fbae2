"""The multiplicative LSTM: Krause et al. 2017, "Multiplicative LSTM for sequence modelling"."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class MultiplicativeLSTM(Cell):
    """The past is first seen through the input.

        m = (W_m x_t)∘(R_m h_{t-1})
        i, f, o = σ(W x_t + R m + b), each its own;  g = W x_t + R m + b
        c_t = f∘c_{t-1} + i∘g
        h_t = tanh(c_t∘o)

    Shapes: x (B, I), output h (B, H), state (h, c), each (B, H).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size, (hidden_size, hidden_size))
        self.from_input = nn.Linear(input_size, 5 * hidden_size)
        self.from_past = nn.Linear(hidden_size, hidden_size, bias=False)
        self.from_both = nn.Linear(hidden_size, 4 * hidden_size, bias=False)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h, c = state
        m, *gates = self.from_input(x).split(self.output_size, dim=1)
        m = m * self.from_past(h)
        i, f, o, g = (a + b for a, b in zip(gates, self.from_both(m).chunk(4, dim=1), strict=True))
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * g
        h = torch.tanh(c * torch.sigmoid(o))
        return h, (h, c)
