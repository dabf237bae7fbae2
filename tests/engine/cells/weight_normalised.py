"""Normalised weights: Salimans and Kingma 2016, "Weight normalization"."""

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from elman.engine import Cell, State


class WeightNormalised(Cell):
    """A plain network whose weights are a direction and a length.

        h_t = tanh(W x_t + R h_{t-1} + b),  each row of W and R is g v / |v|

    Shapes: x (B, I), output h (B, H), state (h,).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.from_input = weight_norm(nn.Linear(input_size, hidden_size))
        self.from_past = weight_norm(nn.Linear(hidden_size, hidden_size, bias=False), dim=None)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h = torch.tanh(self.from_input(x) + self.from_past(state[0]))
        return h, (h,)
