"""Kernels for PyTorch's own compilers: one operation, `elman::scan`, that a traced graph holds by name.

`torch.compile` and `torch.export` look at tensors without numbers, so they cannot see the kernels run. They see this
operation instead: what it is given (the key of a program in this process, then tensors), the shapes of what it gives
back (`_shapes`), and its way back (`elman::scan_backward`, which runs forward once more, for a graph can keep only
tensors whose shapes are known beforehand). The shape of time and batch may differ from call to call.

Key: T time, B batch.
"""

from collections.abc import Callable
from collections.abc import Sequence as Many
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from hashlib import sha256
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor

from elman.engine.backends.base import Sequence
from elman.engine.backends.llvm.program import Program
from elman.engine.backends.llvm.rows import rows
from elman.engine.backends.llvm.run import Inputs, Job, backward, forward
from elman.engine.cell import Cell, State, as_sizes
from elman.engine.stand_in import with_parameters
from elman.errors import Refused, ShapeError

Result = TypeVar("Result")


class _Programs:
    """Programs by key: attributes, for a compiler that looks at one of them need not watch the others."""


_programs = _Programs()


def key_of(program: Program) -> str:
    """The name of a program in this process; the same in every process that has made it."""
    for key, held in vars(_programs).items():
        if held is program:
            return key
    inputs = [node for node in program.origin.captured.step.graph.nodes if node.op == "placeholder"]
    shapes = [tuple(node.meta["val"].shape) for node in inputs]
    name = "scan_" + sha256(f"{program.dtype}\n{program.origin.captured}\n{shapes}".encode()).hexdigest()[:16]
    key, number = name, 1
    while hasattr(_programs, key):  # steps that differ only in a constant tensor
        key, number = f"{name}_{number}", number + 1
    setattr(_programs, key, program)
    return key


Attribute = tuple[tuple[str, ...], str, Any]
Signature = tuple[str, tuple[str, ...], tuple[str, ...], tuple[tuple[str, tuple[int, ...]], ...], tuple[Attribute, ...]]
"""Key of a program; parameters and buffers that its prelude takes, and which of them no step uses; what its steps draw
at random, kinds and shapes; attributes of the cell that were constants when it was made. All of it is plain, for
graphs to hold."""

PLAIN = (bool, int, float, str, type(None))
HIDDEN = "_"
"""Attributes that start with it are a module's own affair."""


def signature(program: Program, cell: Cell) -> Signature:
    """What a graph must know."""
    draws = tuple((draw.kind, draw.shape) for draw in program.brief.draws)
    attributes = tuple(
        (tuple(path.split(".")) if path else (), name, value)
        for path, module in cell.named_modules()
        for name, value in vars(module).items()
        if isinstance(value, PLAIN) and not name.startswith(HIDDEN)
    )
    names = program.brief.names
    places = [node for node in program.origin.captured.prelude.graph.nodes if node.op == "placeholder"]
    unused = tuple(name for name, place in zip(names, places, strict=True) if not place.users)
    return key_of(program), names, unused, draws, attributes


def looks_without_numbers(x: Tensor) -> bool:
    """Is the tensor only looked at, by one of PyTorch's compilers?"""
    return torch.compiler.is_compiling() or isinstance(x, FakeTensor)


def with_numbers(function: Callable[[], Result]) -> Result:
    """Call a function in a thread of its own, where PyTorch looks at no tensor without its numbers."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(copy_context().run, function).result()


def call(known: Signature, cell: Cell, sequence: Sequence) -> tuple[Tensor, State]:
    """A whole call as one operation.

    Args:
        known: What a graph must know.
        cell: Where the parameters are.
        sequence: What to run.
    """
    key, names, unused, kinds, attributes = known
    for path, name, value in attributes:  # read here, so that the graph is made anew when one of them changes
        owner = cell
        for child in path:
            owner = getattr(owner, child)
        assert getattr(owner, name) == value
    makers = {"uniform": torch.rand, "normal": torch.randn}
    draws = [makers[kind](*sequence.x.shape[:2], *shape, dtype=sequence.x.dtype) for kind, shape in kinds]
    named = {**dict(cell.named_parameters()), **dict(cell.named_buffers()), **sequence.parameters}
    dtype = sequence.x.dtype
    states = _initial(cell, sequence, unused) if sequence.state is None else sequence.state
    starts = () if sequence.resets is None else _initial(cell, sequence, unused)
    tensors = [sequence.x, *(each.to(dtype) for each in states), *(each.to(dtype) for each in starts)]
    tensors += [
        *sequence.context,
        *draws,
        *getattr(_programs, key).origin.captured.prelude(*(named[name] for name in names)),
    ]
    output, *after = torch.ops.elman.scan(key, tensors, sequence.lengths, sequence.resets, sequence.reverse)
    return output, tuple(after)


def _initial(cell: Cell, sequence: Sequence, unused: tuple[str, ...]) -> State:
    """The state before the first step; what stands in for a parameter that no step uses may be meant for it."""
    batch = sequence.x.shape[1]
    if type(cell).initial_state is Cell.initial_state:
        return tuple(sequence.x.new_zeros(batch, *as_sizes(shape)) for shape in cell.state_shapes)
    if any(name in unused for name in sequence.parameters):
        return with_parameters(cell, sequence.parameters).initial_state(batch)
    return cell.initial_state(batch)


def _found(key: str) -> Program:
    try:
        return getattr(_programs, key)
    except AttributeError:
        raise Refused(
            f"no kernels of the name {key} are known in this process; run the layer once before its exported program"
        ) from None


def _job(key: str, x: Tensor, lengths: Tensor | None, resets: Tensor | None, reverse: bool, keep: bool) -> Job:
    time, batch, _ = x.shape
    order = rows(time, batch, _checked(lengths, time), resets, reverse, keep)
    return Job(_found(key), order, time, order.total < time * batch, resets is not None, keep, _not_twice)


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
    job = _job(key, tensors[0], lengths, resets, reverse, keep=False)
    return list(forward(job, Inputs.of(job.program, job.resets, tensors))[:-1])


@_scan.register_fake
def _shapes(key: str, tensors: Many[Tensor], *_: object) -> list[Tensor]:
    brief, x = _found(key).brief, tensors[0]
    time, batch, _size = x.shape
    return [x.new_empty(time, batch, *brief.output), *(x.new_empty(batch, *shape) for shape in brief.states)]


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
    job = _job(key, tensors[0], lengths, resets, reverse, keep=True)
    inputs = Inputs.of(job.program, job.resets, tensors)
    found = backward(job, inputs, forward(job, inputs)[-1], gradients)
    return [
        torch.zeros_like(each, memory_format=torch.contiguous_format)
        if gradient is None
        else gradient.to(each.dtype).contiguous()
        for each, gradient, yes in zip(tensors, found, wanted, strict=True)
        if yes
    ]


@_scan_backward.register_fake
def _gradient_shapes(key: str, tensors: Many[Tensor], *rest: Any) -> list[Tensor]:
    return [
        torch.empty_like(each, memory_format=torch.contiguous_format)
        for each, yes in zip(tensors, rest[-1], strict=True)
        if yes
    ]


def _remember(ctx: Any, inputs: tuple[Any, ...], output: list[Tensor]) -> None:
    ctx.key, tensors, lengths, resets, ctx.reverse = inputs
    ctx.save_for_backward(*tensors, lengths, resets)
    ctx.shapes = [each.shape for each in output]


def _way_back(ctx: Any, gradients: list[Tensor | None]) -> tuple[Any, ...]:
    *tensors, lengths, resets = ctx.saved_tensors
    wanted = list(ctx.needs_input_grad[1])
    given = [
        tensors[0].new_zeros(shape) if each is None else each for each, shape in zip(gradients, ctx.shapes, strict=True)
    ]
    found = iter(torch.ops.elman.scan_backward(ctx.key, tensors, lengths, resets, ctx.reverse, given, wanted))
    return None, [next(found) if yes else None for yes in wanted], None, None, None


_scan.register_autograd(_way_back, setup_context=_remember)
