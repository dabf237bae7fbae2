"""Coupled input and forget gates: Greff et al. 2017, "LSTM: a search space odyssey"."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class CoupledGateLSTM(Cell):
    """What is let in is what is forgotten.

        f, o = σ(x_t W + h_{t-1} R + b), each its own
        g = tanh(x_t W + h_{t-1} R + b)
        c_t = f∘c_{t-1} + (1-f)∘g
        h_t = o∘tanh(c_t)

    Shapes: x (B, I), output h (B, H), state (h, c), each (B, H).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size, (hidden_size, hidden_size))
        self.W = nn.Parameter(torch.randn(input_size, 3 * hidden_size) / input_size**0.5)
        self.R = nn.Parameter(torch.randn(hidden_size, 3 * hidden_size) / hidden_size**0.5)
        self.b = nn.Parameter(torch.randn(3 * hidden_size) / 4)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h, c = state
        f, o, g = (x @ self.W + h @ self.R + self.b).chunk(3, dim=1)
        f = torch.sigmoid(f)
        c = f * c + (1 - f) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        return h, (h, c)
