"""Static covariates that scale and shift: Perez et al. 2018, "FiLM"."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, Context, State


class FiLM(Cell):
    """A plain network whose sums are conditioned on something that stays the same over time.

        h_t = tanh((1 + G s)∘(W x_t + R h_{t-1}) + B s)

    Shapes: x (B, I), output h (B, H), state (h,); context (s,), s (B, 3).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.from_input = nn.Linear(input_size, hidden_size)
        self.from_past = nn.Linear(hidden_size, hidden_size, bias=False)
        self.condition = nn.Linear(3, 2 * hidden_size)

    def forward(self, x: Tensor, state: State, context: Context) -> tuple[Tensor, State]:
        scale, shift = self.condition(context[0]).chunk(2, dim=1)
        h = torch.tanh((1 + scale) * (self.from_input(x) + self.from_past(state[0])) + shift)
        return h, (h,)

    def example_context(self, batch: int, dtype: torch.dtype) -> Context:
        return (torch.randn(batch, 3, dtype=dtype),)
