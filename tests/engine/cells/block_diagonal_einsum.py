"""Heads by einsum: the recurrent matrix is block-diagonal, as in Kuchaiev and Ginsburg 2017 (group LSTM)."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class BlockDiagonalEinsum(Cell):
    """A GRU whose heads see their own past only; reset after the product.

    Shapes: x (B, I), output h (B, H), state (h,); weight_hh (heads, D, 3 D), D the width of a head.
    """

    def __init__(self, input_size: int, hidden_size: int, heads: int) -> None:
        super().__init__(input_size, hidden_size)
        self.heads, width = heads, hidden_size // heads
        self.weight_ih = nn.Parameter(torch.randn(heads, 3 * width, input_size) / input_size**0.5)
        self.weight_hh = nn.Parameter(torch.randn(heads, width, 3 * width) / width**0.5)
        self.bias = nn.Parameter(torch.randn(heads, 3 * width) / 4)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h = state[0].unflatten(-1, (self.heads, -1))
        x_r, x_z, x_n = torch.einsum("bi,hoi->bho", x, self.weight_ih).chunk(3, dim=-1)
        h_r, h_z, h_n = (torch.einsum("bhd,hdo->bho", h, self.weight_hh) + self.bias).chunk(3, dim=-1)
        r, z = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
        n = torch.tanh(x_n + r * h_n)
        h = ((1 - z) * n + z * h).flatten(-2)
        return h, (h,)
