"""Noise on the state: Jim, Giles and Horne 1996, "An analysis of noise in recurrent neural networks"."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class NoiseInside(Cell):
    """Normal noise whose size the input decides, and one normal number a row that all units share.

        h_t = tanh(W x_t + R h_{t-1} + b) + σ(S x_t)∘ε_t / 4 + η_t / 8,  ε_t and η_t normal

    Shapes: x (B, I), output h (B, H), state (h,).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.from_input = nn.Linear(input_size, 2 * hidden_size)
        self.from_past = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        (h,) = state
        new, size = self.from_input(x).chunk(2, dim=1)
        h = torch.tanh(new + self.from_past(h))
        if self.training:
            shared = torch.randn(x.shape[0], 1, dtype=x.dtype, device=x.device)
            h = h + torch.sigmoid(size) * torch.randn_like(h) / 4 + shared / 8
        return h, (h,)
