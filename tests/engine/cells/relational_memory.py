"""Slots that attend to each other: Santoro et al. 2018, "Relational recurrent neural networks"."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.engine import Cell, State


class RelationalMemory(Cell):
    """Every slot asks all slots and the input, in heads.

        M~ = norm(M_{t-1} + attention(M_{t-1}, [M_{t-1}, x_t]))
        M_t = norm(M~ + relu(W M~ + b));  y_t = [M_t]

    Shapes: x (B, I), output y (B, S·D), state (M,), M (B, S, D).
    """

    def __init__(self, input_size: int, slots: int, width: int, heads: int) -> None:
        super().__init__(input_size, slots * width, ((slots, width),))
        self.heads = heads
        self.from_input = nn.Linear(input_size, width)
        self.query = nn.Linear(width, width)
        self.keys_values = nn.Linear(width, 2 * width, bias=False)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.mlp = nn.Linear(width, width)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        (M,) = state
        seen = torch.cat([M, self.from_input(x).unsqueeze(1)], dim=1)
        q, (k, v) = self.query(M), self.keys_values(seen).chunk(2, dim=-1)
        q, k, v = (part.unflatten(-1, (self.heads, -1)).permute(0, 2, 1, 3) for part in (q, k, v))
        read = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        M = self.norms[0](M + read)
        M = self.norms[1](M + F.relu(self.mlp(M)))
        return M.flatten(1), (M,)
