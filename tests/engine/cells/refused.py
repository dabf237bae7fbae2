"""Cells that no kernel may take: each would be silently wrong, or cannot be known before it runs.

Shapes: x (B, I), output h (B, H), state (h,), for all of them.
"""

import random
from typing import Any

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class Plain(Cell):
    """h_t = tanh(W [x_t, h_{t-1}] + b), which the others spoil."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.both = nn.Linear(input_size + hidden_size, hidden_size)

    def new(self, x: Tensor, state: State) -> Tensor:
        return torch.tanh(self.both(torch.cat([x, state[0]], dim=1)))


class BatchNorm(Plain):
    """Rows share their moments, and the running ones are buffers that change."""

    def __init__(self, input_size: int, hidden_size: int, running: bool = True) -> None:
        super().__init__(input_size, hidden_size)
        self.norm = nn.BatchNorm1d(hidden_size, track_running_stats=running)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h = self.norm(self.new(x, state))
        return h, (h,)


class BatchMean(Plain):
    """Rows see their mean."""

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h = self.new(x, state)
        h = h - h.mean(dim=0)
        return h, (h,)


class FirstRow(Plain):
    """All rows see the first one."""

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h = self.new(x, state)
        h = h + h[:1] / 2
        return h, (h,)


class RolledRows(Plain):
    """Each row sees its neighbour."""

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h = self.new(x, (state[0].roll(1, dims=0),))
        return h, (h,)


class DataBranch(Plain):
    """Python asks a tensor which way to go."""

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h = self.new(x, state) if x.sum() > 0 else state[0]
        return h, (h,)


class Scaled(torch.autograd.Function):
    """An identity whose gradient is tripled."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        return value.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return 3 * gradients[0]


class CustomFunction(Plain):
    """A gradient of its own, which `torch.export` would drop."""

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h = Scaled.apply(self.new(x, state))
        return h, (h,)


class LeakedTensor(Plain):
    """A tensor of the step is kept on the module."""

    last: Tensor | None = None

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h = self.new(x, state)
        self.last = h
        return h, (h,)


class CounterBuffer(Plain):
    """A buffer counts the steps."""

    steps: Tensor

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.register_buffer("steps", torch.zeros(()))

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        self.steps += 1
        h = self.new(x, state) / self.steps.sqrt()
        return h, (h,)


class CounterNumber(Plain):
    """A plain number on the module counts the steps: a constant to whoever captures one of them."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.steps = 0

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        self.steps += 1
        h = self.new(x, state) / self.steps**0.5
        return h, (h,)


class Item(Plain):
    """A number leaves the tensors and comes back."""

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h = self.new(x, state) * (1 + 0.1 * x[0, 0].item())
        return h, (h,)


class Sort(Plain):
    """Units change places by their size."""

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h, _ = torch.sort(self.new(x, state), dim=1)
        return h, (h,)


class Complex(Plain):
    """Pairs of units become complex numbers."""

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        z = torch.view_as_complex(self.new(x, state).view(x.shape[0], -1, 2).contiguous())
        h = torch.view_as_real(z * torch.exp(0.3j * z.real)).flatten(1)
        return h, (h,)


class PythonRandom(Plain):
    """Python's own generator throws a coin at every step."""

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h = self.new(x, state) * (0.5 + random.random())
        return h, (h,)
