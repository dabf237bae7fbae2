"""A convolution over the state: Shi et al. 2015, "Convolutional LSTM network", on a line instead of a plane."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.engine import Cell, State


class ConvLSTM(Cell):
    """Units stand in a row with channels; each sees its neighbours.

        i, f, o, g = W * [x_t, h_{t-1}] + b, then the step of an LSTM

    Shapes: x (B, L), output h (B, C·L), state (h, c), each (B, C, L).
    """

    def __init__(self, length: int, channels: int) -> None:
        super().__init__(length, channels * length, ((channels, length), (channels, length)))
        self.weight = nn.Parameter(torch.randn(4 * channels, 1 + channels, 3) / (3 + 3 * channels) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(4 * channels))

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h, c = state
        sums = F.conv1d(torch.cat([x.unsqueeze(1), h], dim=1), self.weight, self.bias, padding=1)
        i, f, o, g = sums.chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        return h.flatten(1), (h, c)
