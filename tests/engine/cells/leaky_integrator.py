"""Learned time constants: Mozer 1992; Tallec and Ollivier 2018, "Can recurrent neural networks warp time?"."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.engine import Cell, State


class LeakyIntegrator(Cell):
    """Each unit forgets at a speed of its own.

        a = exp(-softplus(τ))
        v_t = a v_{t-1} + (1-a) (W x_t + R tanh(v_{t-1}) + b)
        y_t = tanh(v_t)

    Shapes: x (B, I), output y (B, H), state (v,); τ (H).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.tau = nn.Parameter(torch.linspace(-3, 1, hidden_size))
        self.W = nn.Parameter(torch.randn(hidden_size, input_size) / input_size**0.5)
        self.R = nn.Parameter(torch.randn(hidden_size, hidden_size) / hidden_size**0.5)
        self.b = nn.Parameter(torch.zeros(hidden_size))

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        (v,) = state
        a = torch.exp(-F.softplus(self.tau))
        v = a * v + (1 - a) * (x @ self.W.t() + torch.tanh(v) @ self.R.t() + self.b)
        return torch.tanh(v), (v,)
