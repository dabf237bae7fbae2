"""Many activations side by side; nobody's paper."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.engine import Cell, State

SMOOTH = (F.softplus, F.elu, F.silu, F.mish, F.softsign, F.logsigmoid, F.tanhshrink)
BENT = (F.hardtanh, F.hardsigmoid, F.hardswish, F.relu6, F.leaky_relu, F.selu, F.celu, F.softshrink, F.hardshrink)


class ActivationMix(Cell):
    """Each activation has its own sums; a product brings them together.

        h_t = tanh(D [a_1(u_1), a_2(u_2), ...]),  u = W x_t + R h_{t-1} + b

    Shapes: x (B, I), output h (B, H), state (h,).
    """

    def __init__(self, input_size: int, hidden_size: int, activations: Sequence[Callable[[Tensor], Tensor]]) -> None:
        super().__init__(input_size, hidden_size)
        self.activations = tuple(activations)
        width = hidden_size * len(self.activations)
        self.from_input = nn.Linear(input_size, width)
        self.from_past = nn.Linear(hidden_size, width, bias=False)
        self.slope = nn.Parameter(torch.tensor([0.2]))
        self.down = nn.Linear(width, hidden_size, bias=False)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        sums = 2 * (self.from_input(x) + self.from_past(state[0]))
        parts = sums.chunk(len(self.activations), dim=-1)
        u = torch.cat([activation(part) for activation, part in zip(self.activations, parts, strict=True)], dim=-1)
        h = torch.tanh(F.prelu(self.down(u), self.slope))
        return h, (h,)
