"""A Runge-Kutta step between observations: Rubanova et al. 2019, "Latent ordinary differential equations" (ODE-RNN)."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class ODEStep(Cell):
    """The state follows dh/dt = f(h) for the time Δ that the last input feature says, then the input is seen.

        k_1 = f(h), k_2 = f(h + Δ/2 k_1), k_3 = f(h + Δ/2 k_2), k_4 = f(h + Δ k_3)
        h = h + Δ/6 (k_1 + 2 k_2 + 2 k_3 + k_4), then the step of a GRU

    Shapes: x (B, I) of which one is Δ, output h (B, H), state (h,).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.field = nn.Sequential(nn.Linear(hidden_size, 6), nn.Tanh(), nn.Linear(6, hidden_size))
        self.cell = nn.GRUCell(input_size - 1, hidden_size)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        (h,) = state
        step = torch.sigmoid(x[:, -1:])
        slopes: list[Tensor] = []
        for reach in (0, 0.5, 0.5, 1):
            slopes.append(self.field(h + reach * step * slopes[-1] if slopes else h))
        h = h + step / 6 * (slopes[0] + 2 * slopes[1] + 2 * slopes[2] + slopes[3])
        h = self.cell(x[..., :-1], h)
        return h, (h,)
