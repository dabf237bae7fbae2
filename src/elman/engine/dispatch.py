"""Which backend runs a cell, and why."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from elman.engine.backends.base import Backend, Sequence
from elman.engine.backends.eager import Eager
from elman.engine.backends.llvm import LLVM, custom_op, kinds
from elman.engine.backends.llvm.backend import origin
from elman.engine.capture import Kind
from elman.engine.cell import Cell, Context
from elman.engine.phases import Plan
from elman.engine.printed import printed
from elman.engine.record import listened
from elman.engine.settled import settled
from elman.errors import OptionError, Refused, suggestion

BACKENDS: dict[str, Backend] = {"eager": Eager(), "llvm": LLVM()}

_forced: ContextVar[str | None] = ContextVar("backend", default=None)
_told: set[tuple[str, str]] = set()


class FallbackWarning(UserWarning):
    """A cell runs step by step, for the engine could not fuse it."""


@dataclass(frozen=True)
class Explanation:
    """Which path a cell takes, and why; printed, it shows the plan."""

    cell: str
    backend: str
    reason: str
    plan: Plan | None = field(default=None, repr=False)

    def __str__(self) -> str:
        first = f"{self.cell} runs on {self.backend}: {self.reason}"
        return f"{first}\n{printed(self.plan)}" if self.plan else first


def run(cell: Cell, sequence: Sequence) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Run a cell over time on the backend that suits it.

    Raises:
        Refused: `use_backend` asked for one that cannot.
    """
    forced = _wish()
    if custom_op.looks_without_numbers(sequence.x):
        return _run_traced(cell, sequence)
    if forced == "llvm":
        return BACKENDS["llvm"].run(cell, sequence)
    reason = _unsuited(sequence)
    if reason is not None:
        return BACKENDS["eager"].run(cell, sequence)
    kernels = BACKENDS["llvm"]
    assert isinstance(kernels, LLVM)
    try:
        return _stepwise(kernels, cell, sequence) if forced == "eager" else kernels.run(cell, sequence)
    except Refused as refusal:
        result = BACKENDS["eager"].run(cell, sequence)  # where the cell breaks its contract, this says so first
        if forced is None:
            _tell(cell, str(refusal))
        return result


def _stepwise(kernels: LLVM, cell: Cell, sequence: Sequence) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The plain loop; where the step draws at random, the numbers that kernels would see are drawn instead."""
    before = torch.get_rng_state()
    result = BACKENDS["eager"].run(cell, sequence)
    if torch.equal(before, torch.get_rng_state()):
        return result
    torch.set_rng_state(before)
    return kernels.plain(cell, sequence)


@settled
def _wish() -> str | None:
    """What `use_backend` asked for."""
    return _forced.get()


def _run_traced(cell: Cell, sequence: Sequence) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The same under `torch.compile` and `torch.export`, as one operation of the graph."""
    if sequence.x.device.type != "cpu" or listened():
        return BACKENDS["eager"].run(cell, sequence)
    known = _known(cell, sequence.x.dtype, kinds(sequence.context), _wish())
    if known is None:
        return BACKENDS["eager"].run(cell, sequence)
    return custom_op.call(known, cell, sequence)


@settled
def _known(
    cell: Cell, dtype: torch.dtype, contexts: tuple[Kind, ...], forced: str | None
) -> "custom_op.Signature | None":
    """What a graph must know of a cell's kernels; None where there are none, or they are not wanted."""
    if forced == "eager":
        return None
    try:
        return custom_op.with_numbers(lambda: _looked_at(cell, dtype, contexts))
    except Refused as refusal:
        if forced == "llvm":
            raise
        _tell(cell, str(refusal))
        return None


def _looked_at(cell: Cell, dtype: torch.dtype, contexts: tuple[Kind, ...]) -> "custom_op.Signature":
    kernels = BACKENDS["llvm"]
    assert isinstance(kernels, LLVM)
    program = kernels.program(cell, dtype, contexts)
    if all(type(each) is nn.Parameter and not each.is_meta for each in cell.parameters()):
        context = tuple(torch.zeros(2, *shape, dtype=kind) for shape, kind in contexts)
        x = torch.empty(0, 2, cell.input_size, dtype=dtype)
        program = kernels.check(program, cell, Sequence(x=x, state=None, context=context), keep=True)
    program.traced(lambda: origin(cell, dtype, contexts))
    return custom_op.signature(program, cell)


def _unsuited(sequence: Sequence) -> str | None:
    """Why a call is not one for kernels, whatever its cell."""
    x = sequence.x
    if listened():
        return "somebody records what the cell names, which takes the plain loop"
    if x.device.type != "cpu":
        return f"the input is on {x.device.type}, and kernels are for the CPU"
    if x.dtype not in (torch.float32, torch.float64, torch.bfloat16, torch.float16):
        return f"the input is of {x.dtype}"
    if type(x) not in (Tensor, nn.Parameter) or torch._C._functorch.peek_interpreter_stack() is not None:  # pyright: ignore[reportAttributeAccessIssue]
        return "the input is no plain tensor (a transform of torch.func, or a tensor of another kind)"
    return None


def _tell(cell: Cell, reason: str) -> None:
    name = type(cell).__name__
    if (name, reason) not in _told:
        _told.add((name, reason))
        warnings.warn(f"{name} runs on eager, step by step: {reason}", FallbackWarning, stacklevel=5)


def explain_scan(cell: Cell, context: Context = ()) -> Explanation:
    """Which backend would run this cell now, and why.

    Args:
        cell: Any cell.
        context: What a caller would pass to it.
    """
    name = type(cell).__name__
    forced = _forced.get()
    if forced is not None:
        return Explanation(name, forced, "use_backend asked for it")
    weight = next((each for each in cell.parameters() if each.is_floating_point()), torch.empty(0))
    x = weight.new_empty(0, 2, cell.input_size, device="cpu")
    context = (*cell.draw_context(2), *context)
    reason = _unsuited(Sequence(x=x, state=None, context=context))
    if reason is not None:
        return Explanation(name, "eager", reason)
    kernels = BACKENDS["llvm"]
    assert isinstance(kernels, LLVM)
    try:
        program = kernels.program(cell, x.dtype, kinds(context))
        if not weight.is_meta:
            program = kernels.check(program, cell, Sequence(x=x, state=None, context=context), keep=True)
        plan = program.traced(lambda: origin(cell, x.dtype, kinds(context))).plan
    except Refused as refusal:
        return Explanation(name, "eager", str(refusal))
    return Explanation(name, "llvm", "its step is fused into kernels of one loop over time", plan)


@contextmanager
def use_backend(name: str) -> Iterator[None]:
    """Force a backend inside the block.

    Raises:
        OptionError: There is no backend of that name.
    """
    if name not in BACKENDS:
        raise OptionError(f"no backend is called '{name}'; {suggestion(name, BACKENDS)}")
    token = _forced.set(name)
    try:
        yield
    finally:
        _forced.reset(token)
