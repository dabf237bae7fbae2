"""From a cell to a plan: the stages in their order, each of which can be printed."""

from dataclasses import dataclass

import torch

from elman.engine.capture import Captured, Kind, capture
from elman.engine.cell import Cell
from elman.engine.phases import Plan
from elman.engine.plan import plan
from elman.engine.step import Step, translate
from elman.engine.verify import verify


@dataclass(frozen=True)
class Lowered:
    """What became of a cell, stage by stage."""

    captured: Captured
    step: Step
    plan: Plan


def lower(cell: Cell, dtype: torch.dtype, contexts: tuple[Kind, ...] = ()) -> Lowered:
    """Take a cell apart and plan it anew.

    Args:
        cell: Any cell.
        dtype: Of input, state and context.
        contexts: Shape, without the batch, and dtype of each tensor of context.

    Raises:
        Refused: It cannot be fused; says what is in the way.
    """
    captured = capture(cell, dtype, contexts)  # one step as traces of PyTorch's operations
    step = translate(captured, dtype)  # as a graph of one row, forward and back
    planned = plan(step)  # as loops, with what is kept in between
    verify(planned)  # nothing is read before it is there, every result is stored once
    return Lowered(captured, step, planned)
