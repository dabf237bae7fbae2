"""The backend: which cells it takes, and how a call reaches its kernels.

Key: T time, B batch.
"""

from collections.abc import Sequence as Tensors
from dataclasses import replace
from functools import lru_cache
from operator import attrgetter
from threading import RLock
from typing import Any

import torch
from torch import Tensor

from elman.engine.backends.base import Sequence
from elman.engine.backends.eager import loop
from elman.engine.backends.llvm.brief import Function, brief
from elman.engine.backends.llvm.check import ROWS, compare, trial
from elman.engine.backends.llvm.program import Program
from elman.engine.backends.llvm.rows import rows
from elman.engine.backends.llvm.run import Inputs, Job, Scan, forward
from elman.engine.backends.llvm.store import Slot
from elman.engine.capture import Captured, Draw, Kind
from elman.engine.cell import Cell, State, as_sizes, check_initial_state
from elman.engine.fingerprint import fingerprint
from elman.engine.lower import Lowered, lower
from elman.engine.stand_in import with_parameters
from elman.engine.traced import TracedCell
from elman.errors import Refused

Names = tuple[str, ...]
DTYPES = (torch.float32, torch.float64)


class LLVM:
    """Fused kernels for the processor, one for each structure of a cell."""

    name = "llvm"

    def __init__(self) -> None:
        self._programs: dict[Any, Program | Refused] = {}
        self._lock = RLock()

    def run(self, cell: Cell, sequence: Sequence) -> tuple[Tensor, State]:
        program = self.program(cell, sequence.x.dtype, kinds(sequence.context))
        keep = torch.is_grad_enabled()
        if keep not in program.checked and sequence.x.numel():
            program = self.check(program, cell, sequence, keep)
        return self._run(program, cell, sequence)

    def plain(self, cell: Cell, sequence: Sequence) -> tuple[Tensor, State]:
        """The same by the plain loop; what a step draws at random is drawn as for kernels.

        Raises:
            Refused: The cell cannot be captured.
        """
        program = self.program(cell, sequence.x.dtype, kinds(sequence.context))
        if not program.brief.draws:
            raise Refused("nothing is drawn, so the cell itself can run")
        given = self._given(program, cell, sequence)
        return traced_loop(program.origin.captured, cell, sequence, given)

    def check(self, program: Program, cell: Cell, sequence: Sequence, keep: bool) -> Program:
        """Compare one step with the cell's own, at the first call; gives the program that stood the test.

        Raises:
            Refused: They differ; so they will at later calls.
        """
        with self._lock:
            while keep not in program.checked:
                program.checked.add(keep)
                try:
                    with torch.enable_grad() if keep else torch.no_grad():
                        self._check(program, cell, sequence)
                except Refused as refusal:
                    program = self._replaced(program, cell, kinds(sequence.context), refusal)
                else:
                    program.keep()
            return program

    def _replaced(self, program: Program, cell: Cell, contexts: tuple[Kind, ...], refusal: Refused) -> Program:
        """What comes from disk may be too old: it is made anew. What was made here cannot be had."""
        anew = _made(cell, program.dtype, contexts) if program.from_disk else refusal
        for key, held in self._programs.items():
            if held is program:
                self._programs[key] = anew
        if isinstance(anew, Refused):
            raise anew
        return anew

    def _check(self, program: Program, cell: Cell, sequence: Sequence) -> None:
        with torch.random.fork_rng(devices=[]):
            twin = with_parameters(cell, sequence.parameters) if sequence.parameters else cell
            small = trial(cell, sequence, tuple(each.to(sequence.x.dtype) for each in twin.initial_state(ROWS)))
            small = replace(small, draws=drawn(program.brief.draws, small.x))
            given = self._given(program, cell, small)
            ours = self._run(program, cell, small)
            theirs = traced_loop(program.origin.captured, cell, small, given) if small.draws else loop(twin, small)
            wanted = [each for each in (small.x, *(small.state or ()), *small.context) if each.requires_grad]
            wanted += [each for each in twin.parameters() if each.requires_grad]
            compare(_flat(ours, wanted), _flat(theirs, wanted), _names(len(ours[1]), len(wanted)))

    def _given(self, program: Program, cell: Cell, sequence: Sequence) -> Inputs:
        dtype = sequence.x.dtype
        states = _initial(cell, sequence) if sequence.state is None else sequence.state
        starts = () if sequence.resets is None else _initial(cell, sequence)
        states, starts = (tuple(each.to(dtype) for each in group) for group in (states, starts))
        draws = sequence.draws or drawn(program.brief.draws, sequence.x)
        weights = prepared(program.brief.names, program.prelude, cell, sequence)
        return Inputs(sequence.x, states, starts, sequence.context, draws, weights)

    def program(self, cell: Cell, dtype: torch.dtype, contexts: tuple[Kind, ...] = ()) -> Program:
        """The kernels of a cell, made at the first call.

        Raises:
            Refused: The cell cannot be fused.
        """
        key = (fingerprint(cell), dtype, contexts)
        found = self._programs.get(key)
        if found is None:
            with self._lock:
                found = self._programs.get(key) or self._programs.setdefault(key, _compiled(cell, dtype, contexts))
        if isinstance(found, Refused):
            raise Refused(str(found))
        return found

    def _run(self, program: Program, cell: Cell, sequence: Sequence) -> tuple[Tensor, State]:
        time, batch, _ = sequence.x.shape
        given = self._given(program, cell, sequence)
        tensors = given.flat()
        keep = torch.is_grad_enabled() and any(each.requires_grad for each in tensors)
        order = rows(time, batch, sequence.lengths, sequence.resets, sequence.reverse, keep)

        def again(*tensors: Tensor) -> tuple[Tensor, ...]:
            return _plain(program, cell, sequence, tensors)

        job = Job(program, order, time, order.total < time * batch, sequence.resets is not None, keep, again)
        output, *after = Scan.apply(job, *tensors) if keep else forward(job, given)[:-1]  # pyright: ignore
        return output, tuple(after)


def _initial(cell: Cell, sequence: Sequence) -> State:
    """The state before the first step."""
    batch = sequence.x.shape[1]
    if type(cell).initial_state is Cell.initial_state:
        return tuple(_zeros(batch, as_sizes(shape), sequence.x.dtype) for shape in cell.state_shapes)
    twin = with_parameters(cell, sequence.parameters) if sequence.parameters else cell
    initial = twin.initial_state(batch)
    check_initial_state(cell, initial, batch)
    return initial


@lru_cache(maxsize=64)
def _zeros(batch: int, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """Nobody writes to them: calls share them."""
    with torch.inference_mode(False):
        return torch.zeros(batch, *shape, dtype=dtype)


def _compiled(cell: Cell, dtype: torch.dtype, contexts: tuple[Kind, ...]) -> Program | Refused:
    slot = Slot(cell, dtype, contexts)
    held = slot.read()
    return _made(cell, dtype, contexts, slot) if held is None else Program(held, dtype, slot)


def _made(cell: Cell, dtype: torch.dtype, contexts: tuple[Kind, ...], slot: Slot | None = None) -> Program | Refused:
    slot = slot or Slot(cell, dtype, contexts)
    try:
        made = origin(cell, dtype, contexts)
        return Program(brief(made.captured, made.plan, dtype), dtype, slot, made)
    except Refused as refusal:
        return refusal


def origin(cell: Cell, dtype: torch.dtype, contexts: tuple[Kind, ...]) -> Lowered:
    """The graphs behind a cell's kernels.

    Raises:
        Refused: It cannot be fused.
    """
    return lower(_filled(cell, dtype), dtype, contexts)


def _filled(cell: Cell, dtype: torch.dtype) -> Cell:
    """With weights of the call's dtype where the cell has none of its own: those of the drop-ins are on `meta`."""
    empty = {
        name: torch.empty(each.shape, dtype=dtype)
        for name, each in cell.named_parameters()
        if each.is_meta and each.is_floating_point()
    }
    return with_parameters(cell, empty) if empty else cell


def _flat(result: tuple[Tensor, State], wanted: list[Tensor]) -> list[Tensor | None]:
    """Results, and gradients of a sum that weighs each of their numbers differently."""
    output, states = result
    results = [output, *states]
    if not torch.is_grad_enabled() or not any(each.requires_grad for each in results):
        return [each.detach() for each in results] + [None] * len(wanted)
    total = sum((each * torch.arange(1.0, each.numel() + 1).view_as(each) / each.numel()).sum() for each in results)
    return [*(each.detach() for each in results), *torch.autograd.grad(total, wanted, allow_unused=True)]  # pyright: ignore


def _names(states: int, wanted: int) -> list[str]:
    return ["the output", *["the state after it"] * states, *["a gradient"] * wanted]


def kinds(context: Tensors[Tensor]) -> tuple[Kind, ...]:
    """Shapes without the batch, and dtypes."""
    return tuple((tuple(each.shape[1:]), each.dtype) for each in context)


def prepared(names: Names, prelude: Function, cell: Cell, sequence: Sequence) -> tuple[Tensor, ...]:
    """What the prelude makes of the cell's parameters and buffers, or of what stands in for them."""
    instead = sequence.parameters
    return prelude(*(instead[name] if name in instead else attrgetter(name)(cell) for name in names))


def drawn(draws: Tensors[Draw], x: Tensor) -> tuple[Tensor, ...]:
    """What all steps draw at random, (T, B, ...)."""
    makers = {"uniform": torch.rand, "normal": torch.randn}
    return tuple(makers[draw.kind](*x.shape[:2], *draw.shape, dtype=x.dtype) for draw in draws)


def _plain(program: Program, cell: Cell, sequence: Sequence, tensors: Tensors[Tensor]) -> tuple[Tensor, ...]:
    """The same call by the plain loop over the traced step."""
    given = Inputs.of(program, sequence.resets is not None, tensors)
    captured = program.traced(lambda: origin(cell, program.dtype, kinds(sequence.context))).captured
    output, states = traced_loop(captured, cell, replace(sequence, x=given.x), given)
    return output, *states


def traced_loop(captured: Captured, cell: Cell, sequence: Sequence, given: Inputs) -> tuple[Tensor, State]:
    """The plain loop over a traced step."""
    traced = TracedCell(cell, captured, given.weights, given.starts or given.states)
    plain = replace(sequence, state=given.states, context=given.contexts, draws=given.draws, parameters={})
    return loop(traced, plain)
