"""A small network that scales the weights of a larger one: Ha, Dai and Le 2017, "HyperNetworks"."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class Hyper(Cell):
    """Each row of the weights is scaled by what the small network says.

        s_t = tanh(S [x_t, h_{t-1}, s_{t-1}])
        h_t = norm(tanh((A s_t)∘(W x_t) + (C s_t)∘(R h_{t-1}) + D s_t))

    Shapes: x (B, I), output h (B, H), state (h, s), s (B, 3).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size, (hidden_size, 3))
        self.small = nn.Linear(input_size + hidden_size + 3, 3)
        self.scales = nn.Linear(3, 3 * hidden_size)
        self.W = nn.Parameter(torch.randn(hidden_size, input_size) / input_size**0.5)
        self.R = nn.Parameter(torch.randn(hidden_size, hidden_size) / hidden_size**0.5)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h, s = state
        s = torch.tanh(self.small(torch.cat([x, h, s], dim=1)))
        a, c, d = torch.tensor_split(self.scales(s), 3, dim=1)
        h = torch.tanh(a * (x @ self.W.mT) + c * (h @ self.R.mT) + d)
        spread, mean = torch.var_mean(h, dim=1, correction=0, keepdim=True)
        return (h - mean) / (spread + 0.1).sqrt(), (h, s)
