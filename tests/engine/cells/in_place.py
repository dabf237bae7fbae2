"""A step that writes into parts of tensors it made itself; nobody's paper."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class InPlace(Cell):
    """An LSTM in the style of NumPy: gates are changed where they stand.

    Shapes: x (B, I), output h (B, H), state (h, c), each (B, H).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size, (hidden_size, hidden_size))
        self.from_input = nn.Linear(input_size, 4 * hidden_size)
        self.from_past = nn.Linear(hidden_size, 4 * hidden_size, bias=False)
        self.peephole = nn.Parameter(torch.randn(hidden_size) / 2)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h, c = state
        width = self.output_size
        gates = self.from_input(x)
        gates += self.from_past(h)
        gates[:, :width] += self.peephole * c
        i, f, o = torch.sigmoid(gates[:, : 3 * width]).chunk(3, dim=1)
        new = torch.zeros_like(c)
        new[:, ::2] = torch.tanh(gates[:, 3 * width :: 2])
        new[:, 1::2] = torch.relu(gates[:, 3 * width + 1 :: 2])
        c = (f * c).addcmul_(i, new)
        h = o.clone()
        h *= torch.tanh(c)
        return h, (h, c)
