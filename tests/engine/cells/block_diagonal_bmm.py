"""Heads by bmm: the recurrent matrix is block-diagonal, as in Kuchaiev and Ginsburg 2017 (group LSTM)."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class BlockDiagonalBmm(Cell):
    """An LSTM whose heads see their own past only, batched over heads.

    Shapes: x (B, I), output h (B, H), state (h, c), each (B, H); weight_hh (heads, D, 4 D), D the width of a head.
    """

    def __init__(self, input_size: int, hidden_size: int, heads: int) -> None:
        super().__init__(input_size, hidden_size, (hidden_size, hidden_size))
        self.heads, self.width = heads, hidden_size // heads
        self.from_input = nn.Linear(input_size, 4 * hidden_size)
        self.weight_hh = nn.Parameter(torch.randn(heads, self.width, 4 * self.width) / self.width**0.5)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h, c = state
        by_head = h.view(-1, self.heads, self.width).transpose(0, 1)
        past = torch.bmm(by_head, self.weight_hh).transpose(0, 1)  # (B, heads, 4 D)
        seen = self.from_input(x).view(-1, self.heads, 4 * self.width)
        i, f, g, o = (gate.reshape(-1, self.output_size) for gate in (seen + past).chunk(4, dim=2))
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        return h, (h, c)
