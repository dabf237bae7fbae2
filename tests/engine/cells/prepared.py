"""Weights made once a call, by `prepare`; nobody's paper."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.engine import Cell, State


class Prepared(Cell):
    """A recurrent matrix of Frobenius norm one; the step sees the finished one.

        R' = R / |R|
        h_t = tanh(W x_t + 2 R' h_{t-1} + b)

    Shapes: x (B, I), output h (B, H), state (h,).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.from_input = nn.Linear(input_size, hidden_size)
        self.R = nn.Parameter(torch.randn(hidden_size, hidden_size))

    def prepare(self) -> Mapping[str, Tensor]:
        return {"R": self.R / self.R.norm()}

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h = torch.tanh(self.from_input(x) + 2 * F.linear(state[0], self.R))
        return h, (h,)
