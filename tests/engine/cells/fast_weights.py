"""Fast weights: Ba et al. 2016, "Using fast weights to attend to the recent past"."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class FastWeights(Cell):
    """A decaying matrix of outer products, consulted twice within a step.

        A_t = λ A_{t-1} + η h_{t-1} h_{t-1}'
        s = W x_t + R h_{t-1};  h = tanh(s), then twice h = tanh(norm(s + A_t h))

    Shapes: x (B, I), output h (B, H), state (h, A), h (B, H), A (B, H, H).
    """

    def __init__(self, input_size: int, hidden_size: int, decay: float = 0.9, rate: float = 0.5) -> None:
        super().__init__(input_size, hidden_size, (hidden_size, (hidden_size, hidden_size)))
        self.decay, self.rate = decay, rate
        self.slow = nn.Linear(input_size + hidden_size, hidden_size)
        self.norm = nn.LayerNorm(hidden_size)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h, A = state
        A = torch.baddbmm(A, h.unsqueeze(2), h.unsqueeze(1), beta=self.decay, alpha=self.rate)
        s = self.slow(torch.cat([x, h], dim=1))
        h = torch.tanh(s)
        for _ in range(2):
            h = torch.tanh(self.norm(s + torch.einsum("bij,bj->bi", A, h)))
        return h, (h, A)
