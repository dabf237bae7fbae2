"""A cell that is another one in evaluation, and has a plain number for an attribute; nobody's paper."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class TrainingSwitch(Cell):
    """A leak `alpha` that one may set between calls, and a soft gate that becomes hard in evaluation.

        h_t = (1-α) h_{t-1} + α g∘tanh(W [x_t, h_{t-1}] + b),  g = σ(4 G x_t), or G x_t > 0

    Shapes: x (B, I), output h (B, H), state (h,).
    """

    def __init__(self, input_size: int, hidden_size: int, alpha: float = 0.6) -> None:
        super().__init__(input_size, hidden_size)
        self.alpha = alpha
        self.gate = nn.Linear(input_size, hidden_size)
        self.both = nn.Linear(input_size + hidden_size, hidden_size)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        (h,) = state
        new = torch.tanh(self.both(torch.cat([x, h], dim=-1)))
        g = torch.sigmoid(4 * self.gate(x)) if self.training else (self.gate(x) > 0).type_as(x)
        h = (1 - self.alpha) * h + self.alpha * g * new
        return h, (h,)
