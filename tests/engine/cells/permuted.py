"""Fixed permutations instead of a recurrent matrix, an old idea of reservoir computing."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class Permuted(Cell):
    """The past enters through a permutation, a roll, a flip and a pad: indices, no product.

        h_t = tanh(W x_t + u∘h_{t-1}[π] + v∘roll(h_{t-1}, 1) + flip(h_{t-1})/2 + pad(h_{t-1}[2:]) + b)

    Shapes: x (B, I), output h (B, H), state (h,).
    """

    order: Tensor

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.from_input = nn.Linear(input_size, hidden_size)
        self.register_buffer("order", torch.randperm(hidden_size))
        self.u = nn.Parameter(torch.randn(hidden_size) / 2)
        self.v = nn.Parameter(torch.randn(hidden_size) / 2)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        (h,) = state
        past = self.u * h[:, self.order] + self.v * torch.roll(h, 1, dims=1)
        past = past + h.flip(1) / 2 + nn.functional.pad(h[:, 2:], (0, 2))
        h = torch.tanh(self.from_input(x) + past)
        return h, (h,)
