"""The minimal gated unit: Zhou et al. 2016, "Minimal gated unit for recurrent neural networks"."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class MinimalGatedUnit(Cell):
    """One gate for both of the GRU's; its second product waits for the first.

        f = σ(W_f [x_t, h_{t-1}] + b_f)
        n = tanh(W_n [x_t, f∘h_{t-1}] + b_n)
        h_t = (1-f)∘h_{t-1} + f∘n

    Shapes: x (B, I), output h (B, H), state (h,).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.forget = nn.Linear(input_size + hidden_size, hidden_size)
        self.candidate = nn.Linear(input_size + hidden_size, hidden_size)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        (h,) = state
        f = torch.sigmoid(self.forget(torch.cat([x, h], dim=1)))
        n = torch.tanh(self.candidate(torch.cat([x, f * h], dim=1)))
        h = (1 - f) * h + f * n
        return h, (h,)
