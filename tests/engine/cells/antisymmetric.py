"""The antisymmetric network: Chang et al. 2019, "AntisymmetricRNN: a dynamical system view on RNNs"."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class Antisymmetric(Cell):
    """A recurrent matrix with imaginary eigenvalues, shifted a little to stay stable.

        h_t = h_{t-1} + ε tanh((W - W' - γ) h_{t-1} + V x_t + b)

    Shapes: x (B, I), output h (B, H), state (h,).
    """

    def __init__(self, input_size: int, hidden_size: int, step: float = 0.5, gamma: float = 0.1) -> None:
        super().__init__(input_size, hidden_size)
        self.step, self.gamma = step, gamma
        self.W = nn.Parameter(torch.randn(hidden_size, hidden_size) / hidden_size**0.5)
        self.V = nn.Linear(input_size, hidden_size)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        (h,) = state
        M = self.W - self.W.T - self.gamma * torch.eye(self.output_size, dtype=h.dtype, device=h.device)
        h = h + self.step * torch.tanh(h @ M.T + self.V(x))
        return h, (h,)
