"""The simple recurrent unit: Lei et al. 2018, "Simple recurrent units for highly parallelizable recurrence"."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class SRU(Cell):
    """All products see the input only; the output is not what is remembered.

        f = σ(W_f x_t + v_f∘c_{t-1} + b_f)
        c_t = f∘c_{t-1} + (1-f)∘(W x_t)
        r = σ(W_r x_t + v_r∘c_{t-1} + b_r)
        y_t = r∘c_t + (1-r)∘(W_s x_t)

    Shapes: x (B, I), output y (B, H), state (c,), c (B, H).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.weight = nn.Parameter(torch.randn(input_size, 4 * hidden_size) / input_size**0.5)
        self.v = nn.Parameter(torch.randn(2, hidden_size) / 2)
        self.b = nn.Parameter(torch.randn(2, hidden_size) / 4)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        (c,) = state
        u = torch.mm(x, self.weight)
        new, to_forget, to_reset, skip = (u[:, k::4] for k in range(4))  # interleaved, as in the authors' code
        f = torch.sigmoid(to_forget + self.v[0] * c + self.b[0])
        r = torch.sigmoid(to_reset + self.v[1] * c + self.b[1])
        c = f * c + (1 - f) * new
        return r * c + (1 - r) * skip, (c,)
