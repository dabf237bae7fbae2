"""The light GRU: Ravanelli et al. 2018, "Light gated recurrent units for speech recognition"."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.engine import Cell, State


class LiGRU(Cell):
    """No reset gate, and a candidate that is rectified; with a norm, on the input's part only.

        z = σ(norm(W x_t) + U h_{t-1} + b)
        n = relu(norm(W x_t) + U h_{t-1} + b)
        h_t = z∘h_{t-1} + (1-z)∘n

    Shapes: x (B, I), output h (B, H), state (h,).
    """

    def __init__(self, input_size: int, hidden_size: int, norm: bool = False) -> None:
        super().__init__(input_size, hidden_size)
        self.weight_ih = nn.Parameter(torch.randn(2 * hidden_size, input_size) / input_size**0.5)
        self.weight_hh = nn.Parameter(torch.randn(2 * hidden_size, hidden_size) / hidden_size**0.5)
        self.bias = nn.Parameter(torch.randn(2 * hidden_size) / 4)
        self.norm = nn.LayerNorm(2 * hidden_size) if norm else None

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        (h,) = state
        seen = F.linear(x, self.weight_ih)
        if self.norm is not None:
            seen = self.norm(seen)
        z, n = torch.split(seen + F.linear(h, self.weight_hh, self.bias), self.output_size, dim=-1)
        z = z.sigmoid()
        h = z * h + (1 - z) * F.relu(n)
        return h, (h,)
