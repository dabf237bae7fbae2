"""A part of the step that must not be trained through; nobody's paper."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class NoGradInside(Cell):
    """A novelty signal, computed without gradients, scales what is learned from.

        d = σ(|x_t - P h_{t-1}|²) without gradient
        h_t = (1-d) h_{t-1} + d tanh(W x_t + R h_{t-1} + b);  P is trained by y_t = [h_t, P h_{t-1}] only

    Shapes: x (B, I), output y (B, H + I), state (h,).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size + input_size, (hidden_size,))
        self.predictor = nn.Linear(hidden_size, input_size)
        self.both = nn.Linear(input_size + hidden_size, hidden_size)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        (h,) = state
        expected = self.predictor(h)
        with torch.no_grad():
            d = torch.sigmoid((x - expected).square().sum(dim=1, keepdim=True) - 1)
        h = (1 - d) * h + d * torch.tanh(self.both(torch.cat([x, h], dim=1)))
        return torch.cat([h, expected], dim=1), (h,)
