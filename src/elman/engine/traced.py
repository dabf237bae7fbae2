"""A captured step as a cell of its own: the plain road for steps that draw at random, and for gradients of gradients.

Key: B batch.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.fx import GraphModule

from elman.engine.capture import ROWS, Captured, of_rows
from elman.engine.cell import Cell, Context, State


class TracedCell(Cell):
    """Runs the step of a trace; what the step draws comes with the context, at its end.

    Args:
        cell: The cell that was captured.
        captured: Its step.
        weights: What the prelude gave.
        initial: The state after a reset.
    """

    def __init__(self, cell: Cell, captured: Captured, weights: Sequence[Tensor], initial: State) -> None:
        super().__init__(cell.input_size, cell.output_size, cell.state_shapes)
        self.captured = captured
        self.weights = tuple(weights)
        self.initial = initial

    def initial_state(self, batch: int) -> State:
        return self.initial

    def forward(self, x: Tensor, state: State, context: Context = ()) -> tuple[Tensor, State]:
        step = _for_batch(self.captured.step, x.shape[0])
        output, *after = step(*self.weights, x, *state, *context)
        return output, tuple(after)


@lru_cache(maxsize=64)
def _for_batch(step: GraphModule, batch: int) -> Any:
    """The step with the batch's size in the place of the trace's."""
    graph = torch.fx.Graph()
    copies: dict[Any, Any] = {}

    def sized(value: Any) -> Any:
        return value // ROWS * batch if of_rows(value) else value

    for node in step.graph.nodes:
        copies[node] = graph.node_copy(node, copies.__getitem__)
        copies[node].args = _mapped(copies[node].args, sized)
        copies[node].kwargs = _mapped(copies[node].kwargs, sized)
    return GraphModule(step, graph).forward


def _mapped(value: Any, change: Any) -> Any:
    """Numbers changed wherever they stand."""
    if isinstance(value, dict):
        return {key: _mapped(each, change) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(_mapped(each, change) for each in value)
    return change(value)
