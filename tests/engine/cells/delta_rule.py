"""The delta rule: Schlag et al. 2021, "Linear transformers are secretly fast weight programmers"; Yang et al. 2024."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.engine import Cell, State


class DeltaRule(Cell):
    """A memory that corrects what it holds under a key.

        k = silu(K x_t) / |silu(K x_t)|, q likewise;  v = V x_t;  β = σ(b·x_t)
        S_t = S_{t-1} + β (v - S_{t-1} k) k'
        y_t = S_t q

    Shapes: x (B, I), output y (B, V), state (S,), S (B, V, K).
    """

    def __init__(self, input_size: int, value_size: int, key_size: int) -> None:
        super().__init__(input_size, value_size, ((value_size, key_size),))
        self.key_size = key_size
        self.projection = nn.Linear(input_size, 2 * key_size + value_size + 1)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        (S,) = state
        q, k, v, b = self.projection(x).split([self.key_size, self.key_size, self.output_size, 1], dim=-1)
        q, k = F.normalize(F.silu(q), dim=-1), F.normalize(F.silu(k), dim=-1)
        held = torch.einsum("bvk,bk->bv", S, k)
        S = S + torch.einsum("bv,bk->bvk", torch.sigmoid(b) * (v - held), k)
        return torch.einsum("bvk,bk->bv", S, q), (S,)
