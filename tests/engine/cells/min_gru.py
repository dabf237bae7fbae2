"""The minimal GRU: Feng et al. 2024, "Were RNNs all we needed?"."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class MinGRU(Cell):
    """Gate and candidate see the input only.

        z = σ(W_z x_t);  n = g(W_n x_t), g(u) = u + 1/2 where u >= 0, else σ(u)
        h_t = (1-z)∘h_{t-1} + z∘n

    Shapes: x (B, I), output h (B, H), state (h,).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.both = nn.Linear(input_size, 2 * hidden_size)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        z, n = self.both(x).chunk(2, dim=-1)
        n = torch.where(n >= 0, n + 0.5, n.sigmoid())
        h = torch.lerp(state[0], n, z.sigmoid())
        return h, (h,)
