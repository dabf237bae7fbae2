"""A deep transition: Pascanu et al. 2014, "How to construct deep recurrent neural networks"."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class MLPStep(Cell):
    """Three layers between a state and the next.

        h_t = h_{t-1} / 2 + MLP([x_t, h_{t-1}])

    Shapes: x (B, I), output h (B, H), state (h,).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.mlp = nn.Sequential(
            nn.Linear(input_size + hidden_size, 9),
            nn.Tanh(),
            nn.Linear(9, 5),
            nn.SiLU(),
            nn.Linear(5, hidden_size),
        )

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        (h,) = state
        h = h / 2 + self.mlp(torch.cat([x, h], dim=-1))
        return h, (h,)
