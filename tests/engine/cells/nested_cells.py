"""Two of PyTorch's own cells, one over the other, as one cell; a residual around the upper one."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class NestedCells(Cell):
    """An LSTM below, a GRU above, and a plain network that closes the loop from above to below.

        h, c = LSTM([x_t, r_{t-1}]);  g = GRU(h);  r_t = tanh(RNN(g));  y_t = h + g

    Shapes: x (B, I), output y (B, H), state (h, c, g, r), r (B, 3), the others (B, H).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size, (hidden_size, hidden_size, hidden_size, 3))
        self.lower = nn.LSTMCell(input_size + 3, hidden_size)
        self.upper = nn.GRUCell(hidden_size, hidden_size, bias=False)
        self.loop = nn.RNNCell(hidden_size, 3)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h, c, g, r = state
        h, c = self.lower(torch.cat([x, r], dim=1), (h, c))
        g = self.upper(h, g)
        return h + g, (h, c, g, self.loop(g, r))
