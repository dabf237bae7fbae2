"""An output that is not the state, and has another width; nobody's paper."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class WideOutput(Cell):
    """What is put out sees the state and the input; the state sees neither.

        h_t = tanh(W [x_t, h_{t-1}] + b)
        y_t = [O h_t, x_t, Σ h_t]

    Shapes: x (B, I), output y (B, 3 + I + 1), state (h,), h (B, H).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, 3 + input_size + 1, (hidden_size,))
        self.both = nn.Linear(input_size + hidden_size, hidden_size)
        self.out = nn.Linear(hidden_size, 3)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h = torch.tanh(self.both(torch.cat([x, state[0]], dim=-1)))
        return torch.cat([self.out(h), x, h.sum(dim=-1, keepdim=True)], dim=-1), (h,)
