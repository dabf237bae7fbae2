"""The echo state network: Jaeger 2001, "The echo state approach to analysing and training recurrent networks"."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class EchoState(Cell):
    """A reservoir that is never trained, one part a buffer, one a frozen parameter, and a read-out that is.

        h_t = (1-a) h_{t-1} + a tanh(W x_t + R h_{t-1});  y_t = O h_t

    Shapes: x (B, I), output y (B, O), state (h,), h (B, H).
    """

    R: Tensor

    def __init__(self, input_size: int, hidden_size: int, output_size: int) -> None:
        super().__init__(input_size, output_size, (hidden_size,))
        self.W = nn.Parameter(torch.randn(hidden_size, input_size) / input_size**0.5, requires_grad=False)
        R = torch.randn(hidden_size, hidden_size) * (torch.rand(hidden_size, hidden_size) < 0.5)
        self.register_buffer("R", 0.9 * R / (torch.linalg.eigvals(R).abs().max() + 1e-3))
        self.out = nn.Linear(hidden_size, output_size)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        (h,) = state
        h = 0.7 * h + 0.3 * torch.tanh(x @ self.W.T + h @ self.R.T)
        return self.out(h), (h,)
