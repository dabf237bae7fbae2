"""Each head is normalised on its own: Wu and He 2018, "Group normalization"."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.engine import Cell, State


class GroupNormHeads(Cell):
    """Heads whose sums are normalised by one group norm.

        u = group_norm(W x_t + R h_{t-1});  g = σ(G x_t)
        h_t = g∘h_{t-1} + (1-g)∘silu(u)

    Shapes: x (B, I), output h (B, H), state (h,).
    """

    def __init__(self, input_size: int, hidden_size: int, heads: int) -> None:
        super().__init__(input_size, hidden_size)
        self.from_input = nn.Linear(input_size, 2 * hidden_size)
        self.from_past = nn.Linear(hidden_size, hidden_size, bias=False)
        self.norm = nn.GroupNorm(heads, hidden_size)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        (h,) = state
        u, g = self.from_input(x).split(self.output_size, dim=-1)
        g = torch.sigmoid(g)
        h = g * h + (1 - g) * F.silu(self.norm(u + self.from_past(h)))
        return h, (h,)
