"""A leaky network whose input is added as it comes, without weights: Jaeger 2001's reservoir without an input layer."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class AddedInput(Cell):
    """The gradient of x is the very vector that enters the recurrent product of the way back.

        h_t = tanh(x_t + a R h_{t-1})

    Shapes: x (B, H), output h (B, H), state (h,).
    """

    def __init__(self, size: int, leak: float = 0.9) -> None:
        super().__init__(size, size)
        self.leak = leak
        self.weight_hh = nn.Parameter(torch.randn(size, size) * size**-0.5)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h = torch.tanh(x + self.leak * state[0] @ self.weight_hh.t())
        return h, (h,)
