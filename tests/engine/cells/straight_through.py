"""Hard gates with a soft gradient: Bengio, Léonard and Courville 2013, "Estimating or propagating gradients"."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class StraightThrough(Cell):
    """A detached difference makes the gate hard without touching its gradient.

        s = σ(G [x_t, h_{t-1}]);  g = s + detach(round(s) - s)
        h_t = g∘h_{t-1} + (1-g)∘tanh(W [x_t, detach(h_{t-1})])

    Shapes: x (B, I), output h (B, H), state (h,).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.gate = nn.Linear(input_size + hidden_size, hidden_size)
        self.candidate = nn.Linear(input_size + hidden_size, hidden_size)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        (h,) = state
        s = torch.sigmoid(self.gate(torch.cat([x, h], dim=1)))
        g = s + (s.round() - s).detach()
        h = g * h + (1 - g) * torch.tanh(self.candidate(torch.cat([x, h.detach()], dim=1)))
        return h, (h,)
