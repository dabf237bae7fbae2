"""A call of a cell's kernels, forward and back, as a function that autograd knows.

Key: T time, B batch, N rows at all steps.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from elman.engine.backends.llvm.lay import back, kept_bytes, there
from elman.engine.backends.llvm.memory import take
from elman.engine.backends.llvm.program import Program
from elman.engine.backends.llvm.rows import Rows


@dataclass(frozen=True)
class Job:
    """What a call is about, beside its tensors.

    Args:
        program: The cell's kernels.
        rows: The order of the rows.
        time: T.
        padded: Are there steps that no row takes?
        resets: May rows return to their initial state?
        keep: Is what the way back needs to be kept?
        again: The same by the plain loop, for gradients of gradients.
    """

    program: Program
    rows: Rows
    time: int
    padded: bool
    resets: bool
    keep: bool
    again: Callable[..., tuple[Tensor, ...]]


@dataclass(frozen=True)
class Inputs:
    """A call's tensors, in the order in which autograd sees them."""

    x: Tensor
    states: tuple[Tensor, ...]
    starts: tuple[Tensor, ...]
    """States after a reset; none without resets."""
    contexts: tuple[Tensor, ...]
    draws: tuple[Tensor, ...]
    weights: tuple[Tensor, ...]

    def flat(self) -> list[Tensor]:
        """All of them."""
        return [self.x, *self.states, *self.starts, *self.contexts, *self.draws, *self.weights]

    @staticmethod
    def of(program: Program, resets: bool, tensors: Sequence[Tensor]) -> "Inputs":
        """Take a flat list apart."""
        brief = program.brief
        states = len(brief.states)
        counts = (1, states, states * resets, brief.contexts, len(brief.draws))
        parts, start = [], 0
        for count in counts:
            parts.append(tuple(tensors[start : start + count]))
            start += count
        (x,), states, starts, contexts, draws = parts
        return Inputs(x, states, starts, contexts, draws, tuple(tensors[start:]))


class Scan(torch.autograd.Function):
    """All steps of a cell: (job, x, states, starts, contexts, draws, weights) -> (output, states)."""

    @staticmethod
    def forward(ctx: Any, job: Job, *tensors: Tensor) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        output, *states, kept = forward(job, Inputs.of(job.program, job.resets, tensors))
        ctx.job = job
        ctx.save_for_backward(*tensors, *kept)
        return output, *states

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        job: Job = ctx.job
        count = len(ctx.needs_input_grad) - 1
        tensors, kept = ctx.saved_tensors[:count], ctx.saved_tensors[count:]
        if torch.is_grad_enabled():
            return None, *_twice(job, tensors, gradients, ctx.needs_input_grad[1:])
        return None, *backward(job, Inputs.of(job.program, job.resets, tensors), kept, gradients)


def forward(job: Job, inputs: Inputs) -> tuple[Any, ...]:
    """The output, the last states one by one, and a list of what the way back needs."""
    program, rows, dtype = job.program, job.rows, job.program.dtype
    tensors, lying = program.weights(inputs.weights)
    course = there(program, "forward" if job.keep else "inference", rows, lying)
    brief = program.brief
    output = _whole(job, brief.output)
    states = [torch.empty(rows.batch, *shape, dtype=dtype) for shape in brief.states]
    room = take(torch.uint8, course.room)
    kept = [output, take(torch.uint8, kept_bytes(program, rows))] if job.keep else []
    given = _tensors(inputs, tensors, dtype)
    given |= {f"final {i}": state for i, state in enumerate(states)} | {"output": output, "room": room}
    if job.keep:
        given["kept"] = kept[1]
    course.run(given)
    return output, *states, kept


def backward(
    job: Job, inputs: Inputs, kept: Sequence[Tensor], gradients: Sequence[Tensor | None]
) -> list[Tensor | None]:
    """Gradients of all inputs, from those of output and last states."""
    program, rows, dtype = job.program, job.rows, job.program.dtype
    brief = program.brief
    tensors, lying = program.weights(inputs.weights)
    course = back(program, rows, lying)
    output, saved = kept
    of_x = _whole(job, inputs.x.shape[2:])
    of_states = [torch.empty(rows.batch, *shape, dtype=dtype) for shape in brief.states]
    of_resets = [torch.empty(len(rows.sinks), *shape, dtype=dtype) for shape in brief.states]
    of_contexts = [torch.zeros(context.shape, dtype=dtype) for context in inputs.contexts]
    sums = [(torch.empty if rows.total else torch.zeros)(shape, dtype=dtype) for shape in brief.sums]
    given = _tensors(inputs, tensors, dtype) | {"output": output, "kept": saved, "gradient of x": of_x}
    given["output gradient"] = torch.zeros_like(output) if gradients[0] is None else gradients[0].contiguous()
    given |= {f"gradient {i}": None if each is None else each.contiguous() for i, each in enumerate(gradients[1:])}
    given |= {f"gradient of state {i}": each for i, each in enumerate(of_states)}
    given |= {f"gradient of reset {i}": each for i, each in enumerate(of_resets)}
    given |= {f"gradient of context {i}": each for i, each in enumerate(of_contexts)}
    given |= {f"sum {i}": each for i, each in enumerate(sums)}
    given["room"] = take(torch.uint8, course.room)
    course.run(given)
    starts = [
        torch.zeros_like(start).index_add_(0, rows.reset_rows, each)
        for each, start in zip(of_resets, inputs.starts, strict=False)
    ]
    contexts = [
        gradient if context.is_floating_point() else None
        for gradient, context in zip(of_contexts, inputs.contexts, strict=True)
    ]
    learned = iter(program.afterwards(*(weight.detach() for weight in inputs.weights), *sums))
    weights = [next(learned) if yes else None for yes in brief.learned]
    return [of_x, *of_states, *starts, *contexts, *(None for _ in inputs.draws), *weights]


def _whole(job: Job, sizes: Sequence[int]) -> Tensor:
    """Memory for all steps, zero where no row takes them."""
    tensor = take(job.program.dtype, job.time, job.rows.batch, *sizes)
    return tensor.zero_() if job.padded else tensor


def _tensors(inputs: Inputs, weights: Sequence[Tensor], dtype: torch.dtype) -> dict[str, Tensor | None]:
    """What both ways are given, by the names of places."""
    given: dict[str, Tensor | None] = {"x": inputs.x.contiguous()}
    for name, group in (("state", inputs.states), ("start", inputs.starts), ("draw", inputs.draws)):
        given |= {f"{name} {i}": each.contiguous() for i, each in enumerate(group)}
    given |= {f"context {i}": each.to(dtype).contiguous() for i, each in enumerate(inputs.contexts)}
    return given | {f"weight {i}": each for i, each in enumerate(weights)}


def _twice(
    job: Job, tensors: Sequence[Tensor], gradients: Sequence[Tensor | None], wanted: Sequence[bool]
) -> list[Tensor | None]:
    """Gradients that have gradients themselves, by the plain loop."""
    results = job.again(*tensors)
    pairs = [(r, g) for r, g in zip(results, gradients, strict=True) if g is not None and r.requires_grad]
    inputs = [tensor for tensor, yes in zip(tensors, wanted, strict=True) if yes]
    found = iter(
        torch.autograd.grad([r for r, _ in pairs], inputs, [g for _, g in pairs], create_graph=True, allow_unused=True)
    )
    return [next(found) if yes else None for yes in wanted]
