"""States of different shapes, one of them a matrix; nobody's paper."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class MixedStates(Cell):
    """A code k of five numbers, a hidden state h, and a matrix M (2, 3), each seeing the others.

        k_t = σ(K [x_t, h_{t-1}])
        M_t = M_{t-1} / 2 + tanh(A k_t)
        h_t = tanh(W h_{t-1} + V [M_t] + Σ_i M_t[i]·u_i)

    Shapes: x (B, I), output h (B, H), state (k, h, M), k (B, 5), h (B, H), M (B, 2, 3).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size, (5, hidden_size, (2, 3)))
        self.to_code = nn.Linear(input_size + hidden_size, 5)
        self.to_matrix = nn.Linear(5, 6)
        self.W = nn.Parameter(torch.randn(hidden_size, hidden_size) / hidden_size**0.5)
        self.V = nn.Parameter(torch.randn(6, hidden_size) / 3)
        self.u = nn.Parameter(torch.randn(3) / 2)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        k, h, M = state
        k = torch.sigmoid(self.to_code(torch.cat([x, h], dim=1)) + 0.1 * k)
        M = M / 2 + torch.tanh(self.to_matrix(k)).reshape(-1, 2, 3)
        read = (M @ self.u).sum(dim=1, keepdim=True)
        h = torch.tanh(h @ self.W + M.flatten(1) @ self.V + read)
        return h, (k, h, M)
