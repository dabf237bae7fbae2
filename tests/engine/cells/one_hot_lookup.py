"""A table looked up by a product with ones and zeros; nobody's paper."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class OneHotLookup(Cell):
    """The first input feature names a row of a table, the others are seen as they are.

        e = onehot(⌊2|x_t[0]|⌋) E
        h_t = tanh(e + W x_t[1:] + R h_{t-1})

    Shapes: x (B, I), output h (B, H), state (h,); table (codes, H).
    """

    codes: Tensor

    def __init__(self, input_size: int, hidden_size: int, codes: int = 3) -> None:
        super().__init__(input_size, hidden_size)
        self.register_buffer("codes", torch.arange(codes))
        self.table = nn.Parameter(torch.randn(codes, hidden_size) / 2)
        self.rest = nn.Linear(input_size - 1 + hidden_size, hidden_size)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        index = (2 * x[:, 0].abs()).floor().clamp(max=len(self.codes) - 1).long()
        chosen = (index.unsqueeze(1) == self.codes).to(x.dtype)
        h = torch.tanh(chosen @ self.table + self.rest(torch.cat([x[:, 1:], state[0]], dim=1)))
        return h, (h,)
