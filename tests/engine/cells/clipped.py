"""Clipping, comparing and choosing, after the slew-rate limits of control engineering; nobody's paper."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class Clipped(Cell):
    """A state that may move by a limited amount at each step.

        u = clamp(W [x_t, h_{t-1}] + b, -1, 1);  v = u where |u| > 1/2, else sign(u) u²
        h_t = min(max(v, h_{t-1} - r), h_{t-1} + r)

    Shapes: x (B, I), output h (B, H), state (h,); r is learned.
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.both = nn.Linear(input_size + hidden_size, hidden_size)
        self.r = nn.Parameter(torch.tensor(0.3))

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        (h,) = state
        u = torch.clamp(2 * self.both(torch.cat([x, h], dim=1)), -1, 1)
        v = torch.where(u.abs() > 0.5, u, torch.sign(u) * u**2)
        h = torch.minimum(torch.maximum(v, h - self.r), h + self.r)
        return h, (h.clamp(min=-0.9),)
