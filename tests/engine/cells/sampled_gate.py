"""A gate that is zero or one by chance: Bengio, Léonard and Courville 2013, "Estimating or propagating gradients"."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class SampledGate(Cell):
    """A Bernoulli gate, hard on the way forward; its probability takes the gradient.

        p = σ(G [x_t, h_{t-1}]);  g ~ Bernoulli(p), dg/dp := 1
        h_t = (1-g)∘h_{t-1} + g∘tanh(W [x_t, h_{t-1}])

    Shapes: x (B, I), output h (B, H), state (h,).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.both = nn.Linear(input_size + hidden_size, 2 * hidden_size)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        (h,) = state
        p, new = self.both(torch.cat([x, h], dim=1)).chunk(2, dim=1)
        p = torch.sigmoid(p)
        g = p + (torch.bernoulli(p) - p).detach() if self.training else p
        h = (1 - g) * h + g * torch.tanh(new)
        return h, (h,)
