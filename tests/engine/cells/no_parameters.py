"""Running moments of the input: a cell without a single parameter."""

import torch
from torch import Tensor

from elman.engine import Cell, State


class RunningMoments(Cell):
    """Exponential averages, and the input standardised by them.

        μ_t = 0.9 μ_{t-1} + 0.1 x_t;  v_t = 0.9 v_{t-1} + 0.1 (x_t - μ_t)²
        y_t = (x_t - μ_t) / √(v_t + 1/10)

    Shapes: x (B, I), output y (B, I), state (μ, v), each (B, I).
    """

    def __init__(self, input_size: int) -> None:
        super().__init__(input_size, input_size, (input_size, input_size))

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        mean, variance = state
        mean = 0.9 * mean + 0.1 * x
        variance = 0.9 * variance + 0.1 * (x - mean) ** 2
        return (x - mean) / torch.sqrt(variance + 0.1), (mean, variance)

    def example_state(self, batch: int, dtype: torch.dtype) -> State:
        """A variance is never negative."""
        return torch.randn(batch, self.input_size, dtype=dtype), torch.rand(batch, self.input_size, dtype=dtype)
