"""Three traces of different speed, after Mozer 1992, "Induction of multiscale temporal structure"."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class ThreeStates(Cell):
    """A hidden state, and a fast and a slow trace of it that it sees again.

        h_t = tanh(W x_t + U h_{t-1} + F f_{t-1} + S s_{t-1} + b)
        f_t = f_{t-1} + (h_t - f_{t-1}) / 2,  s_t = s_{t-1} + (f_t - s_{t-1}) / 8

    Shapes: x (B, I), output h + s (B, H), state (h, f, s), each (B, H).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size, (hidden_size,) * 3)
        self.weight = nn.Parameter(torch.randn(input_size + 3 * hidden_size, hidden_size) / (3 * hidden_size) ** 0.5)
        self.bias = nn.Parameter(torch.randn(hidden_size) / 4)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h, fast, slow = state
        h = torch.tanh(torch.addmm(self.bias, torch.hstack([x, h, fast, slow]), self.weight))
        fast = torch.lerp(fast, h, 0.5)
        slow = slow + 0.125 * (fast - slow)
        return h + slow, (h, fast, slow)
