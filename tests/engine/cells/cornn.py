"""Coupled oscillators: Rusch and Mishra 2021, "Coupled oscillatory recurrent neural network (coRNN)"."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class CoRNN(Cell):
    """Positions y and velocities z of a driven network of oscillators.

        z_t = z_{t-1} + Δ (tanh(W [x_t, z_{t-1}, y_{t-1}] + b) - γ y_{t-1} - ε z_{t-1})
        y_t = y_{t-1} + Δ z_t

    Shapes: x (B, I), output y (B, H), state (y, z), each (B, H).
    """

    def __init__(self, input_size: int, hidden_size: int, step: float = 0.3, gamma: float = 1.3, epsilon: float = 0.8):
        super().__init__(input_size, hidden_size, (hidden_size, hidden_size))
        self.step, self.gamma, self.epsilon = step, gamma, epsilon
        self.force = nn.Linear(input_size + 2 * hidden_size, hidden_size)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        y, z = state
        force = torch.tanh(self.force(torch.cat((x, z, y), 1)))
        z = z + self.step * (force - self.gamma * y - self.epsilon * z)
        y = y + self.step * z
        return y, (y, z)
