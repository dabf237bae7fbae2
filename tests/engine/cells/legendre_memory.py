"""The Legendre memory unit: Voelker, Kajić and Eliasmith 2019, "Legendre memory units"."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class LegendreMemory(Cell):
    """A fixed linear memory of the recent past, and a small network around it.

        u = e_x·x_t + e_h·h_{t-1} + e_m·m_{t-1}
        m_t = A m_{t-1} + B u
        h_t = tanh(W x_t + R h_{t-1} + M m_t)

    A and B are those of the paper, discretised by zero-order hold.

    Shapes: x (B, I), output h (B, H), state (h, m), h (B, H), m (B, order).
    """

    A: Tensor
    B: Tensor

    def __init__(self, input_size: int, hidden_size: int, order: int, theta: float = 6.0) -> None:
        super().__init__(input_size, hidden_size, (hidden_size, order))
        j, i = torch.meshgrid(torch.arange(order), torch.arange(order), indexing="xy")
        odd = torch.where((i - j + 1) % 2 == 0, 1.0, -1.0)
        A = (2 * i + 1) * torch.where(i < j, torch.tensor(-1.0), odd) / theta
        B = ((2 * i[:, :1] + 1) * torch.where(i[:, :1] % 2 == 0, 1.0, -1.0)) / theta
        held = torch.matrix_exp(torch.cat([torch.cat([A, B], dim=1), torch.zeros(1, order + 1)]))
        self.register_buffer("A", held[:order, :order].contiguous())
        self.register_buffer("B", held[:order, order:].contiguous())
        self.encoders = nn.Linear(input_size + hidden_size + order, 1, bias=False)
        self.hidden = nn.Linear(input_size + hidden_size + order, hidden_size, bias=False)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h, m = state
        u = self.encoders(torch.cat((x, h, m), dim=1))
        m = m @ self.A.T + u * self.B.squeeze(1)
        h = torch.tanh(self.hidden(torch.cat((x, h, m), dim=1)))
        return h, (h, m)
