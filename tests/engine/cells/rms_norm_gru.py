"""A GRU with root-mean-square norms: Zhang and Sennrich 2019, "Root mean square layer normalization"."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class RMSNormGRU(Cell):
    """Both products are normalised, and the new state is, too, before it leaves.

        r, z = σ(norm(W x_t) + norm(R h_{t-1})), each its own
        n = tanh(norm(W x_t) + r∘norm(R h_{t-1}))
        h_t = (1-z)∘n + z∘h_{t-1};  y_t = h_t / rms(h_t)

    Shapes: x (B, I), output y (B, H), state (h,).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.from_input = nn.Linear(input_size, 3 * hidden_size)
        self.from_past = nn.Linear(hidden_size, 3 * hidden_size)
        self.input_norm = nn.RMSNorm(3 * hidden_size, eps=1e-5)
        self.past_norm = nn.RMSNorm(3 * hidden_size, eps=1e-5)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        (h,) = state
        x_r, x_z, x_n = self.input_norm(self.from_input(x)).chunk(3, dim=-1)
        h_r, h_z, h_n = self.past_norm(self.from_past(h)).chunk(3, dim=-1)
        z = torch.sigmoid(x_z + h_z)
        h = (1 - z) * torch.tanh(x_n + torch.sigmoid(x_r + h_r) * h_n) + z * h
        return h * torch.rsqrt(h.pow(2).mean(-1, keepdim=True) + 1e-3), (h,)
