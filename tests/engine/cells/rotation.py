"""Rotations in real arithmetic, after Arjovsky, Shah and Bengio 2016, "Unitary evolution recurrent neural networks"."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.engine import Cell, State


class Rotation(Cell):
    """Pairs of units are complex numbers that the input turns; modReLU bounds what it adds.

        z = e^{iθ(x_t)} z_{t-1} + W x_t
        z_t = relu(|z| + b) z / |z|

    Shapes: x (B, I), output z (B, H), state (z,), H even.
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.angle = nn.Linear(input_size, hidden_size // 2)
        self.from_input = nn.Linear(input_size, hidden_size)
        self.bias = nn.Parameter(torch.randn(hidden_size // 2) / 4)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        real, imaginary = state[0][:, ::2], state[0][:, 1::2]
        angle = torch.pi * torch.tanh(self.angle(x))
        cosine, sine = torch.cos(angle), torch.sin(angle)
        z = torch.stack([cosine * real - sine * imaginary, sine * real + cosine * imaginary], dim=-1)
        z = z + self.from_input(x).view(z.shape)
        size = torch.sqrt(z.square().sum(dim=-1) + 1e-6)
        z = (z * (F.relu(size + self.bias) / size).unsqueeze(-1)).flatten(1)
        return z, (z,)
