"""The plain loop over time: slow, obvious, and the oracle for every other backend."""

from contextlib import nullcontext

import torch
from torch import Tensor
from torch.nn.utils import parametrize

from elman.engine.backends.base import Sequence
from elman.engine.cell import Cell, Context, State, check_initial_state, check_step
from elman.engine.padding import without_padding
from elman.engine.record import keep, listened, named_states, recorded_step
from elman.engine.stand_in import with_parameters


class Eager:
    """Takes one step after the other, as the cell is written."""

    name = "eager"

    def run(self, cell: Cell, sequence: Sequence) -> tuple[Tensor, State]:
        cell = with_parameters(cell, sequence.parameters) if sequence.parameters else cell
        once = any(parametrize.is_parametrized(module) for module in cell.modules())
        with parametrize.cached() if once else nullcontext():
            return loop(cell, sequence)


def loop(cell: Cell, sequence: Sequence) -> tuple[Tensor, State]:
    """Outputs of all steps, and the state after the last."""
    time, batch, _ = sequence.x.shape
    initial = cell.initial_state(batch)
    check_initial_state(cell, initial, batch)
    state = initial if sequence.state is None else sequence.state
    shortest = time if sequence.lengths is None else _shortest(sequence.lengths)
    steps = without_padding(sequence.x, sequence.lengths).unbind(0)  # x[t] would make backward quadratic in T
    outputs, records = [], []
    for t in reversed(range(time)) if sequence.reverse else range(time):
        if sequence.resets is not None:
            state = _choose(sequence.resets[t], initial, state)
        result, record = take_step(cell, steps[t], state, (*sequence.context, *(draw[t] for draw in sequence.draws)))
        if not outputs:
            check_step(cell, result, batch)
        output, after = result
        if t >= shortest and sequence.lengths is not None:
            alive = (t < sequence.lengths).to(output.device)
            output = _choose(alive, (output,), (torch.zeros_like(output),))[0]
            after = _choose(alive, after, state)
        state = after
        outputs.append(output)
        records.append(record | named_states(state))
    if sequence.reverse:
        outputs.reverse()
        records.reverse()
    keep(records)
    if not outputs:
        return sequence.x.new_zeros(0, batch, cell.output_size), state
    return torch.stack(outputs), state


def _shortest(lengths: Tensor) -> int:
    """Steps that every row takes; none are promised where a compiler looks at tensors without numbers."""
    return int(lengths.min()) if len(lengths) and not torch.compiler.is_compiling() else 0


def take_step(cell: Cell, x: Tensor, state: State, context: Context) -> tuple[tuple[Tensor, State], dict[str, Tensor]]:
    """One step, and what it records if somebody listens."""
    arguments = (x, state, context) if context else (x, state)
    if not listened():
        return cell(*arguments), {}
    with recorded_step() as record:
        return cell(*arguments), record


def _choose(condition: Tensor, yes: State, no: State) -> State:
    """Row by row, the one or the other."""
    return tuple(torch.where(condition.view(-1, *[1] * (b.dim() - 1)), a, b) for a, b in zip(yes, no, strict=True))
