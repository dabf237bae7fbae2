"""A second-order network: Giles et al. 1992, "Learning and extracting finite state automata"."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class SecondOrder(Cell):
    """Each pair of an input and a unit has its own weight to every unit.

        h_t[k] = σ(Σ_ij W[i, j, k] x_t[i] h_{t-1}[j] + b[k])

    Shapes: x (B, I), output h (B, H), state (h,); W (I, H, H).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.W = nn.Parameter(torch.randn(input_size, hidden_size, hidden_size) / hidden_size**0.5)
        self.b = nn.Parameter(torch.randn(hidden_size))

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h = torch.sigmoid(torch.einsum("bi,bj,ijk->bk", x, state[0], self.W) + self.b)
        return h, (h,)
