"""Quasi-recurrent pooling: Bradbury et al. 2017, "Quasi-recurrent neural networks"."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.engine import Cell, State


class QRNN(Cell):
    """fo-pooling after a convolution of width two over time; the last input is a part of the state.

        z = tanh(W_z [x_{t-1}, x_t]);  f, o = σ(W [x_{t-1}, x_t]), each its own
        c_t = f∘c_{t-1} + (1-f)∘z
        y_t = o∘c_t

    Shapes: x (B, I), output y (B, H), state (c, x_{t-1}), c (B, H), x_{t-1} (B, I).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size, (hidden_size, input_size))
        self.before = nn.Linear(input_size, 3 * hidden_size, bias=False)
        self.now = nn.Linear(input_size, 3 * hidden_size)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        c, last = state
        z, gates = (self.before(last) + self.now(x)).tensor_split([self.output_size], dim=1)
        f, o = F.sigmoid(gates).tensor_split(2, dim=1)
        c = f * c + (1 - f) * torch.tanh(z)
        return o * c, (c, x)
