"""Dropout without memory loss: Semeniuta, Severyn and Barth 2016, "Recurrent dropout without memory loss"."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.engine import Cell, State


class DropoutInside(Cell):
    """An LSTM that drops numbers of its candidate, and of its input by a module, anew at each step.

        c_t = f∘c_{t-1} + i∘dropout(g)

    Shapes: x (B, I), output h (B, H), state (h, c), each (B, H).
    """

    def __init__(self, input_size: int, hidden_size: int, p: float = 0.4) -> None:
        super().__init__(input_size, hidden_size, (hidden_size, hidden_size))
        self.p = p
        self.input_dropout = nn.Dropout(0.2)
        self.gates = nn.Linear(input_size + hidden_size, 4 * hidden_size)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h, c = state
        x = self.input_dropout(x)
        i, f, g, o = self.gates(torch.cat([x, h], dim=-1)).chunk(4, dim=-1)
        g = F.dropout(torch.tanh(g), self.p, self.training)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * g
        h = torch.sigmoid(o) * torch.tanh(c)
        return h, (h, c)
