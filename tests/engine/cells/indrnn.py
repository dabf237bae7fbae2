"""The independently recurrent network: Li et al. 2018, "Independently recurrent neural network (IndRNN)"."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class IndRNN(Cell):
    """Each unit sees its own past only: no recurrent product.

        h_t = relu(W x_t + u∘h_{t-1} + b)

    Shapes: x (B, I), output h (B, H), state (h,).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.input_layer = nn.Linear(input_size, hidden_size)
        self.u = nn.Parameter(torch.empty(hidden_size).uniform_(-1, 1))

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h = torch.relu(self.input_layer(x) + self.u * state[0])
        return h, (h,)
