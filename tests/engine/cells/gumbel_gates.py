"""Gates that are sampled softly: Jang, Gu and Poole 2017, "Categorical reparameterization with Gumbel-softmax"."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.engine import Cell, State


class GumbelGates(Cell):
    """Each unit chooses between keeping, taking and clearing; uniform numbers make the choice random.

        k, t, _ = softmax((G [x_t, h_{t-1}] - log(-log u)) / 0.7),  u uniform
        h_t = k∘h_{t-1} + t∘tanh(W [x_t, h_{t-1}])

    Shapes: x (B, I), output h (B, H), state (h,).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.both = nn.Linear(input_size + hidden_size, 4 * hidden_size)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        (h,) = state
        new, scores = self.both(torch.cat([x, h], dim=1)).split([self.output_size, 3 * self.output_size], dim=1)
        scores = scores.view(-1, self.output_size, 3)
        if self.training:
            u = torch.rand(scores.shape, dtype=scores.dtype).clamp(1e-4, 1 - 1e-4)
            scores = scores - torch.log(-torch.log(u))
        keep, take, _ = F.softmax(scores / 0.7, dim=-1).unbind(-1)
        h = keep * h + take * torch.tanh(new)
        return h, (h,)
