"""The clockwork network: Koutník et al. 2014, "A clockwork RNN"."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.engine import Cell, State


class Clockwork(Cell):
    """Modules with clocks of different period; the fast ones see the slow ones, by a mask on the weights.

        h_t = tanh(W x_t + (mask∘R) h_{t-1} + b) where the unit's period divides t, else h_{t-1}

    Shapes: x (B, I), output h (B, H), state (h, t), t (B, 1).
    """

    mask: Tensor
    periods: Tensor

    def __init__(self, input_size: int, periods: tuple[int, ...], width: int) -> None:
        hidden_size = width * len(periods)
        super().__init__(input_size, hidden_size, (hidden_size, 1))
        self.from_input = nn.Linear(input_size, hidden_size)
        self.R = nn.Parameter(torch.randn(hidden_size, hidden_size) / hidden_size**0.5)
        each = torch.tensor(periods, dtype=torch.get_default_dtype()).repeat_interleave(width)
        self.register_buffer("periods", each)
        self.register_buffer("mask", (each[:, None] <= each).to(each.dtype))

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h, t = state
        new = torch.tanh(self.from_input(x) + F.linear(h, self.R * self.mask))
        h = torch.where(torch.remainder(t.round(), self.periods) == 0, new, h)
        return h, (h, t + 1)
