"""The plain loop over time: slow, obvious, and the oracle for every other backend."""

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.utils import parametrize

from elman.engine.backends.base import Sequence
from elman.engine.cell import Cell, State, check_initial_state, check_step
from elman.engine.padding import without_padding
from elman.engine.record import keep, listened, recorded_step


class Eager:
    """Takes one step after the other, as the cell is written."""

    name = "eager"

    def run(self, cell: Cell, sequence: Sequence) -> tuple[Tensor, State]:
        loop = Loop(cell)
        with parametrize.cached():
            if not sequence.parameters:
                return loop(sequence)
            parameters = {f"cell.{name}": value for name, value in sequence.parameters.items()}
            return functional_call(loop, parameters, (sequence,))


class Loop(nn.Module):
    """A module, so that `functional_call` can put other parameters in place for a whole sequence."""

    def __init__(self, cell: Cell) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, sequence: Sequence) -> tuple[Tensor, State]:
        time, batch, _ = sequence.x.shape
        initial = self.cell.initial_state(batch)
        check_initial_state(self.cell, initial, batch)
        state = initial if sequence.state is None else sequence.state
        shortest = time if sequence.lengths is None else int(sequence.lengths.min()) if batch else 0
        steps = without_padding(sequence.x, sequence.lengths).unbind(0)  # x[t] would make backward quadratic in T
        outputs, records = [], []
        for t in reversed(range(time)) if sequence.reverse else range(time):
            if sequence.resets is not None:
                state = _choose(sequence.resets[t], initial, state)
            result, record = self.step(steps[t], state, sequence)
            if not outputs:
                check_step(self.cell, result, batch)
            output, after = result
            if t >= shortest and sequence.lengths is not None:
                alive = (t < sequence.lengths).to(output.device)
                output = _choose(alive, (output,), (torch.zeros_like(output),))[0]
                after = _choose(alive, after, state)
            state = after
            outputs.append(output)
            records.append(record)
        if sequence.reverse:
            outputs.reverse()
            records.reverse()
        keep(records)
        if not outputs:
            return sequence.x.new_zeros(0, batch, self.cell.output_size), state
        return torch.stack(outputs), state

    def step(self, x: Tensor, state: State, sequence: Sequence) -> tuple[tuple[Tensor, State], dict[str, Tensor]]:
        arguments = (x, state, sequence.context) if sequence.context else (x, state)
        if not listened():
            return self.cell(*arguments), {}
        with recorded_step() as record:
            return self.cell(*arguments), record


def _choose(condition: Tensor, yes: State, no: State) -> State:
    """Row by row, the one or the other."""
    return tuple(torch.where(condition.view(-1, *[1] * (b.dim() - 1)), a, b) for a, b in zip(yes, no, strict=True))
