"""A residual step through SwiGLU: Shazeer 2020, "GLU variants improve transformer"."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.engine import Cell, State


class SwiGLU(Cell):
    """A gated feed-forward block, added to what is remembered.

        u = [norm(h_{t-1}), x_t]
        h_t = 0.9 h_{t-1} + D (silu(G u)∘(U u))

    Shapes: x (B, I), output h (B, H), state (h,).
    """

    def __init__(self, input_size: int, hidden_size: int, inner_size: int = 9) -> None:
        super().__init__(input_size, hidden_size)
        self.norm = nn.LayerNorm(hidden_size)
        self.gate = nn.Linear(input_size + hidden_size, inner_size, bias=False)
        self.up = nn.Linear(input_size + hidden_size, inner_size, bias=False)
        self.down = nn.Linear(inner_size, hidden_size, bias=False)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        u = torch.cat([self.norm(state[0]), x], dim=-1)
        h = 0.9 * state[0] + self.down(F.silu(self.gate(u)) * self.up(u))
        return h, (h,)
