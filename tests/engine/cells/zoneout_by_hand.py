"""Zoneout as one writes it at first: Krueger et al. 2017, "Zoneout"."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class ZoneoutByHand(Cell):
    """A GRU-like step whose units keep their old value with probability p.

        h_t = d∘h_{t-1} + (1-d)∘new,  d ~ Bernoulli(p);  in evaluation d = p

    Shapes: x (B, I), output h (B, H), state (h,).
    """

    def __init__(self, input_size: int, hidden_size: int, p: float = 0.3) -> None:
        super().__init__(input_size, hidden_size)
        self.p = p
        self.cell = nn.GRUCell(input_size, hidden_size)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        (h,) = state
        new = self.cell(x, h)
        d = (torch.rand_like(h) < self.p).to(h.dtype) if self.training else self.p
        h = d * h + (1 - d) * new
        return h, (h,)
