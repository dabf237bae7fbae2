"""Kernels for PyTorch's own compilers: one operation, `elman::scan`, that a traced graph holds by name.

`torch.compile` and `torch.export` look at tensors without numbers, so they cannot see the kernels run. They see this
operation instead: what it is given (the key of a program in this process, then tensors), the shapes of what it gives
back (`_shapes`), and its way back (`elman::scan_backward`, which runs forward once more, for a graph can keep only
tensors whose shapes are known beforehand). The shape of time and batch may differ from call to call.

Key: T time, B batch.
"""

from collections.abc import Iterator
from collections.abc import Sequence as Many
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor
from torch.utils._python_dispatch import _disable_current_modes

from elman.engine.backends.base import Sequence
from elman.engine.backends.llvm.program import Program
from elman.engine.backends.llvm.rows import rows
from elman.engine.backends.llvm.run import Inputs, Job, Scan
from elman.engine.cell import Cell, State
from elman.errors import Refused, ShapeError

_programs: dict[str, Program] = {}


def key_of(program: Program) -> str:
    """The name of a program in this process; the same in every process that has made it."""
    for key, held in _programs.items():
        if held is program:
            return key
    name = sha256(f"{program.dtype}\n{program.captured}".encode()).hexdigest()[:16]
    key, number = name, 1
    while key in _programs:  # steps that differ only in a constant tensor
        key, number = f"{name}-{number}", number + 1
    _programs[key] = program
    return key


Attribute = tuple[tuple[str, ...], str, Any]
Signature = tuple[str, tuple[str, ...], tuple[tuple[str, tuple[int, ...]], ...], tuple[Attribute, ...]]
"""Key of a program; parameters and buffers that its prelude takes; what its steps draw at random, kinds and shapes;
attributes of the cell that were constants when it was made. All of it is plain, for graphs to hold."""

PLAIN = (bool, int, float, str, type(None))
HIDDEN = "_"
"""Attributes that start with it are a module's own affair."""


def signature(program: Program, cell: Cell) -> Signature:
    """What a graph must know."""
    draws = tuple((draw.kind, draw.shape) for draw in program.captured.draws)
    attributes = tuple(
        (tuple(path.split(".")) if path else (), name, value)
        for path, module in cell.named_modules()
        for name, value in vars(module).items()
        if isinstance(value, PLAIN) and not name.startswith(HIDDEN)
    )
    return key_of(program), program.captured.names, draws, attributes


def looks_without_numbers(x: Tensor) -> bool:
    """Is the tensor only looked at, by one of PyTorch's compilers?"""
    return torch.compiler.is_compiling() or isinstance(x, FakeTensor)


@contextmanager
def with_numbers() -> Iterator[None]:
    """Out of whatever looks at tensors without numbers."""
    with _disable_current_modes():
        yield


def call(known: Signature, cell: Cell, sequence: Sequence) -> tuple[Tensor, State]:
    """A whole call as one operation.

    Args:
        known: What a graph must know.
        cell: Where the parameters are.
        sequence: What to run.
    """
    key, names, kinds, attributes = known
    for path, name, value in attributes:  # read here, so that the graph is made anew when one of them changes
        owner = cell
        for child in path:
            owner = getattr(owner, child)
        assert getattr(owner, name) == value
    makers = {"uniform": torch.rand, "normal": torch.randn}
    draws = [makers[kind](*sequence.x.shape[:2], *shape, dtype=sequence.x.dtype) for kind, shape in kinds]
    named = {**dict(cell.named_parameters()), **dict(cell.named_buffers()), **sequence.parameters}
    batch, dtype = sequence.x.shape[1], sequence.x.dtype
    states = cell.initial_state(batch) if sequence.state is None else sequence.state
    starts = () if sequence.resets is None else cell.initial_state(batch)
    tensors = [sequence.x, *(each.to(dtype) for each in states), *(each.to(dtype) for each in starts)]
    tensors += [*sequence.context, *draws, *(named[name] for name in names)]
    output, *after = torch.ops.elman.scan(key, tensors, sequence.lengths, sequence.resets, sequence.reverse)
    return output, tuple(after)


def _found(key: str) -> Program:
    try:
        return _programs[key]
    except KeyError:
        raise Refused(
            f"no kernels of the name {key} are known in this process; run the layer once before its exported program"
        ) from None


def _run(key: str, tensors: Many[Tensor], lengths: Tensor | None, resets: Tensor | None, reverse: bool) -> Any:
    program = _found(key)
    given = Inputs.of(program, resets is not None, tensors)
    weights = program.captured.prelude.forward(*given.weights)
    flat = [*tensors[: len(tensors) - len(given.weights)], *weights]
    time, batch, _ = given.x.shape
    lengths = _checked(lengths, time)
    keep = torch.is_grad_enabled() and any(each.requires_grad for each in flat)
    order = rows(time, batch, lengths, resets, reverse, keep)
    job = Job(program, order, time, order.total < time * batch, resets is not None, keep, _not_twice)
    return Scan.apply(job, *flat)


def _checked(lengths: Tensor | None, time: int) -> Tensor | None:
    """Lengths whose values nobody could look at before."""
    if lengths is not None and len(lengths) and not 0 <= int(lengths.min()) <= int(lengths.max()) <= time:
        raise ShapeError(
            f"lengths expects values from 0 to {time}, the steps of the input; "
            f"received {int(lengths.min())} to {int(lengths.max())}"
        )
    return lengths


def _not_twice(*_: Tensor) -> tuple[Tensor, ...]:
    raise Refused("gradients of gradients are not known to a compiled graph; run the layer without torch.compile")


@torch.library.custom_op("elman::scan", mutates_args=(), device_types="cpu")
def _scan(
    key: str, tensors: Many[Tensor], lengths: Tensor | None, resets: Tensor | None, reverse: bool
) -> list[Tensor]:
    with torch.no_grad():
        return list(_run(key, tensors, lengths, resets, reverse))


@_scan.register_fake
def _shapes(key: str, tensors: Many[Tensor], *_: object) -> list[Tensor]:
    step, x = _found(key).plan.step, tensors[0]
    time, batch, _size = x.shape
    return [x.new_empty(time, batch, *step.output.shape), *(x.new_empty(batch, *each.shape) for each in step.states)]


@torch.library.custom_op("elman::scan_backward", mutates_args=(), device_types="cpu")
def _scan_backward(
    key: str,
    tensors: Many[Tensor],
    lengths: Tensor | None,
    resets: Tensor | None,
    reverse: bool,
    gradients: Many[Tensor],
    wanted: Many[bool],
) -> list[Tensor]:
    with torch.enable_grad():
        leaves = [each.detach().requires_grad_(yes) for each, yes in zip(tensors, wanted, strict=True)]
        results = _run(key, leaves, lengths, resets, reverse)
    inputs = [each for each, yes in zip(leaves, wanted, strict=True) if yes]
    found = torch.autograd.grad(results, inputs, list(gradients), allow_unused=True)
    return [torch.zeros_like(each) if got is None else got.clone() for each, got in zip(inputs, found, strict=True)]


@_scan_backward.register_fake
def _gradient_shapes(key: str, tensors: Many[Tensor], *rest: Any) -> list[Tensor]:
    return [torch.empty_like(each) for each, yes in zip(tensors, rest[-1], strict=True) if yes]


def _remember(ctx: Any, inputs: tuple[Any, ...], output: list[Tensor]) -> None:
    ctx.key, tensors, lengths, resets, ctx.reverse = inputs
    ctx.save_for_backward(*tensors, lengths, resets)
    ctx.shapes = [each.shape for each in output]


def _way_back(ctx: Any, gradients: list[Tensor | None]) -> tuple[Any, ...]:
    *tensors, lengths, resets = ctx.saved_tensors
    wanted = list(ctx.needs_input_grad[1])
    given = [
        tensors[0].new_zeros(shape) if each is None else each
        for each, shape in zip(gradients, ctx.shapes, strict=True)
    ]
    found = iter(torch.ops.elman.scan_backward(ctx.key, tensors, lengths, resets, ctx.reverse, given, wanted))
    return None, [next(found) if yes else None for yes in wanted], None, None, None


_scan.register_autograd(_way_back, setup_context=_remember)
