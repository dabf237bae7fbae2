"""Closed-form continuous-time networks: Hasani et al. 2022 (CfC), with the activation of LeCun et al. 1998."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class LeCunTanh(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return 1.7159 * torch.tanh(0.666 * x)


class CfC(Cell):
    """A backbone, and two heads that a gate in time blends; the last input feature is the time that passed.

        b = backbone([x_t, h_{t-1}]);  g = tanh(G b), k = tanh(K b)
        s = σ((A b)·Δ + B b)
        h_t = g∘(1-s) + s∘k

    Shapes: x (B, I) of which one is Δ, output h (B, H), state (h,).
    """

    def __init__(self, input_size: int, hidden_size: int, backbone_size: int = 7) -> None:
        super().__init__(input_size, hidden_size)
        self.backbone = nn.Sequential(
            nn.Linear(input_size - 1 + hidden_size, backbone_size),
            LeCunTanh(),
            nn.Linear(backbone_size, backbone_size),
            LeCunTanh(),
        )
        self.ff1 = nn.Linear(backbone_size, hidden_size)
        self.ff2 = nn.Linear(backbone_size, hidden_size)
        self.time_a = nn.Linear(backbone_size, hidden_size)
        self.time_b = nn.Linear(backbone_size, hidden_size)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        passed = x[:, -1:].abs()
        b = self.backbone(torch.cat((x[:, :-1], state[0]), dim=-1))
        blend = torch.sigmoid(self.time_a(b) * passed + self.time_b(b))
        h = torch.tanh(self.ff1(b)) * (1.0 - blend) + blend * torch.tanh(self.ff2(b))
        return h, (h,)
