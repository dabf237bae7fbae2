"""FastGRNN: Kusupati et al. 2018, "FastGRNN: a fast, accurate, stable and tiny kilobyte sized gated RNN"."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class FastGRNN(Cell):
    """Gate and candidate share their products; two numbers for the residual are learned.

        z = σ(W x_t + U h_{t-1} + b_z);  n = tanh(W x_t + U h_{t-1} + b_n)
        h_t = (σ(ζ)(1-z) + σ(ν))∘n + z∘h_{t-1}

    With a rank, W = W_1 W_2 is applied factor by factor, and U = U_1 U_2 multiplied out first.

    Shapes: x (B, I), output h (B, H), state (h,).
    """

    def __init__(self, input_size: int, hidden_size: int, rank: int | None = None) -> None:
        super().__init__(input_size, hidden_size)
        self.W = self.factors(input_size, hidden_size, rank)
        self.U = self.factors(hidden_size, hidden_size, rank)
        self.b_z = nn.Parameter(torch.ones(1, hidden_size))
        self.b_n = nn.Parameter(torch.full((1, hidden_size), 0.1))
        self.zeta = nn.Parameter(torch.tensor(1.0))
        self.nu = nn.Parameter(torch.tensor(-2.0))

    @staticmethod
    def factors(rows: int, columns: int, rank: int | None) -> nn.ParameterList:
        sizes = [(rows, columns)] if rank is None else [(rows, rank), (rank, columns)]
        return nn.ParameterList(nn.Parameter(torch.randn(*size) / size[0] ** 0.5) for size in sizes)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        (h,) = state
        seen = x
        for factor in self.W:
            seen = seen @ factor
        U = self.U[0] if len(self.U) == 1 else self.U[0] @ self.U[1]
        sums = seen + h.matmul(U)
        z = torch.sigmoid(sums + self.b_z)
        n = torch.tanh(sums + self.b_n)
        h = (torch.sigmoid(self.zeta) * (1 - z) + torch.sigmoid(self.nu)) * n + z * h
        return h, (h,)
