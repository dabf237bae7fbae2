"""Zeros added to the state before every step: their gradient is the loss's gradient with respect to that state.

Back-propagation through time (Werbos 1990) passes a gradient from step to step; whether it vanishes or explodes on
the way (Bengio, Simard and Frasconi 1994) is seen by looking at it at every step. The zeros enter as additional
input features, so any backend that can run a cell can run the probed one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from math import prod

import torch
from torch import Tensor

from elman.engine.backends.base import Sequence
from elman.engine.cell import Cell, Context, State, as_sizes, state_size
from elman.engine.settled import settled

_probes: ContextVar[list[Tensor] | None] = ContextVar("probes", default=None)


@contextmanager
def probe_states() -> Iterator[list[Tensor]]:
    """Within the block, every run adds its zeros (T, B, numbers in the state) to the list.

    Example:
        >>> from elman.layers import LSTM
        >>> with probe_states() as probes:
        ...     y, _ = LSTM(3, 4)(torch.randn(5, 2, 3))
        >>> y[-1].sum().backward()
        >>> probes[0].grad.shape
        torch.Size([5, 2, 8])
    """
    probes: list[Tensor] = []
    token = _probes.set(probes)
    try:
        yield probes
    finally:
        _probes.reset(token)


def probed(cell: Cell, sequence: Sequence) -> tuple[Cell, Sequence]:
    """The cell and its sequence with zeros added, if somebody probes; else both as they were."""
    probes = _wanted()
    if probes is None:
        return cell, sequence
    zeros = sequence.x.new_zeros(*sequence.x.shape[:2], state_size(cell), requires_grad=True)
    probes.append(zeros)
    parameters = {f"cell.{name}": value for name, value in sequence.parameters.items()}
    return Probed(cell), replace(sequence, x=torch.cat([sequence.x, zeros], dim=-1), parameters=parameters)


@settled
def _wanted() -> list[Tensor] | None:
    return _probes.get()


class Probed(Cell):
    """A cell whose last input features are added to its state before the step."""

    def __init__(self, cell: Cell) -> None:
        super().__init__(cell.input_size + state_size(cell), cell.output_size, cell.state_shapes)
        self.cell = cell

    def initial_state(self, batch: int) -> State:
        return self.cell.initial_state(batch)

    def forward(self, x: Tensor, state: State, context: Context = ()) -> tuple[Tensor, State]:
        x, *zeros = x.split([self.cell.input_size, *(prod(as_sizes(shape)) for shape in self.state_shapes)], dim=-1)
        state = tuple(tensor + zero.view_as(tensor) for tensor, zero in zip(state, zeros, strict=True))
        return self.cell(x, state, context) if context else self.cell(x, state)
