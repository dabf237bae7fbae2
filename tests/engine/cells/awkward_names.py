"""Parts with unlucky names: `torch.fx.GraphModule` has a `code`, a `graph` and a `meta` of its own."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class AwkwardNames(Cell):
    """A plain network; `torch.export` alone takes it, but fails when it unflattens the names.

        h_t = tanh(W x_t + R h_{t-1} + b + g)

    Shapes: x (B, I), output h (B, H), state (h,).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.code = nn.Linear(input_size, hidden_size)
        self.graph = nn.Linear(hidden_size, hidden_size, bias=False)
        self.meta = nn.ParameterDict({"shift": torch.randn(hidden_size)})

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h = torch.tanh(self.code(x) + self.graph(state[0]) + self.meta["shift"])
        return h, (h,)
