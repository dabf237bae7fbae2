"""Periodic activations: Sitzmann et al. 2020, "Implicit neural representations with periodic activation functions"."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class Sinusoidal(Cell):
    """A state that turns, read through sine and cosine.

        a_t = W x_t + R [sin a_{t-1}, cos a_{t-1}] + b
        y_t = sin(a_t) + cos(2 a_t) / 2 + atan(a_t) / 4

    Shapes: x (B, I), output y (B, H), state (a,).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.from_input = nn.Linear(input_size, hidden_size)
        self.from_past = nn.Linear(2 * hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        (a,) = state
        a = self.from_input(x) + self.from_past(torch.cat([a.sin(), torch.cos(a)], dim=1))
        return torch.sin(a) + torch.cos(2 * a) / 2 + torch.atan(a) / 4, (a,)
