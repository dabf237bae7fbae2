"""A GRU with a norm for each gate: Ba, Kiros and Hinton 2016, "Layer normalization"."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.engine import Cell, State


class LayerNormGRU(Cell):
    """The sums of each gate are normalised on their own, by one call over a view; the reset acts before the product.

        r, z = σ(g norm(W x_t + R h_{t-1}) + b), each its own
        n = tanh(norm(W_n x_t + R_n (r∘h_{t-1})))
        h_t = z∘h_{t-1} + (1-z)∘n

    Shapes: x (B, I), output h (B, H), state (h,); gain and bias (2, H).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.gates = nn.Linear(input_size + hidden_size, 2 * hidden_size, bias=False)
        self.candidate = nn.Linear(input_size + hidden_size, hidden_size, bias=False)
        self.norm = nn.LayerNorm(hidden_size, elementwise_affine=False)
        self.gain = nn.Parameter(1 + torch.randn(2, hidden_size) / 4)
        self.bias = nn.Parameter(torch.randn(2, hidden_size) / 4)
        self.candidate_gain = nn.Parameter(1 + torch.randn(hidden_size) / 4)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        (h,) = state
        sums = self.gates(torch.cat([x, h], -1)).view(-1, 2, self.output_size)
        r, z = torch.sigmoid(self.gain * self.norm(sums) + self.bias).unbind(1)
        n = self.candidate(torch.cat([x, r * h], -1))
        n = torch.tanh(F.layer_norm(n, (self.output_size,), weight=self.candidate_gain))
        h = z * h + (1 - z) * n
        return h, (h,)
