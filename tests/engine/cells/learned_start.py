"""A first state that is learned; a common trick, old enough to have no paper."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class LearnedStart(Cell):
    """An LSTM that starts, and starts again after a reset, from where it wants to.

        h_0 = tanh(a), c_0 = a

    Shapes: x (B, I), output h (B, H), state (h, c), each (B, H).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size, (hidden_size, hidden_size))
        self.cell = nn.LSTMCell(input_size, hidden_size)
        self.a = nn.Parameter(torch.randn(hidden_size))

    def initial_state(self, batch: int) -> State:
        c = self.a.expand(batch, -1)
        return torch.tanh(c), c

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h, c = self.cell(x, state)
        return h, (h, c)
