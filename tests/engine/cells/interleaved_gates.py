"""An LSTM whose gates lie beside each other unit by unit, as kernels like them."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class InterleavedGates(Cell):
    """The row 4u + g of a weight belongs to gate g of unit u.

    Shapes: x (B, I), output h (B, H), state (h, c), each (B, H).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size, (hidden_size, hidden_size))
        self.from_input = nn.Linear(input_size, 4 * hidden_size)
        self.from_past = nn.Linear(hidden_size, 4 * hidden_size, bias=False)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h, c = state
        sums = (self.from_input(x) + self.from_past(h)).view(x.size(0), self.output_size, 4)
        i, f, g, o = sums.unbind(-1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        return h, (h, c)
