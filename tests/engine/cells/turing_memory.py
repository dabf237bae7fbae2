"""Addressing by content and by place: Graves, Wayne and Danihelka 2014, "Neural Turing machines"."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.engine import Cell, State


class TuringMemory(Cell):
    """One head that reads a memory and writes to it.

        a = softmax_n(β cos(k, M_n));  a = g a + (1-g) w_{t-1};  w~[n] = Σ_j a[n-j] s[j];  w_t = w~^γ / Σ w~^γ
        r_t = Σ_n w_t[n] M_{t-1}[n];  M_t = M_{t-1}∘(1 - w_t e') + w_t a'

    Shapes: x (B, I), output r (B, D), state (r, w, M), w (B, N), M (B, N, D).
    """

    def __init__(self, input_size: int, slots: int, width: int) -> None:
        super().__init__(input_size, width, (width, slots, (slots, width)))
        self.sizes = [width, 1, 1, 3, 1, width, width]
        self.head = nn.Linear(input_size + width, sum(self.sizes))
        self.fresh = nn.Parameter(torch.randn(slots, width) / 2)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        r, w, M = state
        k, beta, g, s, gamma, erase, add = self.head(torch.cat([x, r], dim=1)).split(self.sizes, dim=1)
        similar = F.cosine_similarity((M + self.fresh), k.unsqueeze(1), dim=-1)
        a = torch.softmax(F.softplus(beta) * similar, dim=1)
        g, s = torch.sigmoid(g), torch.softmax(s, dim=1)
        a = g * a + (1 - g) * w
        a = torch.stack([a.roll(j, dims=1) for j in (-1, 0, 1)], dim=-1)
        w = torch.einsum("bnj,bj->bn", a, s).clamp_min(1e-6) ** (1 + F.softplus(gamma))
        w = w / w.sum(dim=1, keepdim=True)
        r = torch.einsum("bn,bnd->bd", w, M + self.fresh)
        M = M * (1 - torch.einsum("bn,bd->bnd", w, torch.sigmoid(erase))) + w.unsqueeze(2) * add.unsqueeze(1)
        return r, (r, w, M)

    def example_state(self, batch: int, dtype: torch.dtype) -> State:
        """Weights over slots are positive and add up to one."""
        slots, width = self.fresh.shape
        w = torch.softmax(torch.randn(batch, slots, dtype=dtype), dim=1)
        return torch.randn(batch, width, dtype=dtype), w, torch.randn(batch, slots, width, dtype=dtype)
