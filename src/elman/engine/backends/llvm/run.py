"""A call of a cell's kernels, forward and back, as a function that autograd knows.

Key: T time, B batch, N rows at all steps.
"""

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from elman.engine.backends.llvm import team
from elman.engine.backends.llvm.kernel import READY
from elman.engine.backends.llvm.memory import take
from elman.engine.backends.llvm.program import CHUNK, Chunk, Kernel, Program, shares, words
from elman.engine.backends.llvm.rows import Rows
from elman.engine.graph import Node
from elman.engine.nest import Buffer

FEW = 4
"""Rows of a thread below which products of the input are taken ahead."""
SMALL = 1 << 14
"""Multiplications at a step below which a second thread costs more than it brings."""


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
        captured = program.captured
        counts = (1, captured.states, captured.states * resets, captured.contexts, len(captured.draws))
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
        output, states, kept = _Forward(job, Inputs.of(job.program, job.resets, tensors))(job.keep)
        if job.keep:
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
        return None, *_Backward(job, Inputs.of(job.program, job.resets, tensors))(kept, gradients)


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


class _Call:
    """What both ways share."""

    def __init__(self, job: Job, inputs: Inputs) -> None:
        self.job, self.program, self.rows, self.inputs = job, job.program, job.rows, inputs
        self.step, self.dtype = job.program.plan.step, job.program.dtype
        self.found: dict[tuple[str, int], Tensor] = {}
        """The tensors behind buffers, by role and number."""

    def find(self, buffers: Sequence[Buffer]) -> list[Tensor]:
        """The caller's tensors behind buffers; gives all weights."""
        given = self.inputs
        values = self.program.values(given.weights)
        for buffer in buffers:
            number = buffer.number
            if buffer.role == "x":
                self.found["x", 0] = given.x.detach().contiguous()
            elif buffer.role == "context":
                self.found["context", number] = given.contexts[number].detach().to(self.dtype).contiguous()
            elif buffer.role == "draw":
                self.found["draw", number] = given.draws[number].detach().contiguous()
            elif buffer.role == "weight":
                self.found["weight", number] = values[number].contiguous()
        return values

    def pointers(self) -> dict[tuple[str, int], int]:
        """Where all buffers start."""
        return {key: tensor.data_ptr() for key, tensor in self.found.items()}

    def go(
        self, kernel: Kernel, pointers: dict[tuple[str, int], int], panels: list[int], first: int, last: int, way: int
    ) -> None:
        """Run the loop over some steps: threads share the rows, or where there are few, the blocks of each product.

        Where a thread has too few rows to keep it busy while it reads the weights, products of the input are taken
        ahead, for many steps at once.
        """
        rows, threads = self.rows, team.threads()
        if kernel.work * rows.batch < SMALL:
            threads = 1
        parts = threads if rows.batch < threads else 1
        share = ctypes.addressof(whole(rows.batch, threads)) if parts > 1 else rows.share(threads)
        header = rows.tables | {"share": share, "onward": way, "parts": parts}
        if not kernel.hoists or rows.batch >= FEW * threads or last - first < FEW:
            header |= {"first": first, "last": last}
            return team.run(kernel.loop, kernel.call(header, pointers, panels), threads)
        starts = rows.starts
        for low in range(first, last, CHUNK):
            high = min(low + CHUNK, last)
            count = starts[high] - starts[low]
            memory = [take(self.dtype, count * hoist.size) for hoist in kernel.hoists]
            moved = [
                each.data_ptr() - starts[low] * hoist.size * self.dtype.itemsize
                for each, hoist in zip(memory, kernel.hoists, strict=True)
            ]
            workers = team.threads() if kernel.work * count >= SMALL else 1
            ahead = header | {"share": ctypes.addressof(shares(count, workers, starts[low])), "parts": 1}
            team.run(kernel.ahead, kernel.call(ahead, pointers, panels, moved), workers)
            header |= {"first": low, "last": high, "mode": READY}
            team.run(kernel.loop, kernel.call(header, pointers, panels, moved), threads)
        return None

    def finish(
        self, kernel: Kernel, pointers: dict[tuple[str, int], int], panels: list[int], first: int, last: int
    ) -> None:
        """Run what comes after the loop, over rows at some steps."""
        if not kernel.text.after or last <= first:
            return
        threads = team.threads() if kernel.work * (last - first) >= SMALL else 1
        share = shares(last - first, threads, first)
        header = self.rows.tables | {"share": ctypes.addressof(share), "parts": 1}
        team.run(kernel.after, kernel.call(header, pointers, panels), threads)


@lru_cache(maxsize=256)
def whole(batch: int, threads: int) -> "ctypes.Array[ctypes.c_int64]":
    """All rows for each thread."""
    return words([0, batch] * threads)


class _Forward(_Call):
    """All steps, first to last."""

    def __call__(self, keep: bool) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """The output, the last states, and what the way back needs."""
        rows, step = self.rows, self.step
        kernel = self.program.kernel("forward" if keep else "inference")
        values = self.find(kernel.layout.buffers)
        make = torch.zeros if self.job.padded else torch.empty
        output = make(self.job.time, rows.batch, *step.output.shape, dtype=self.dtype)
        states = [self._begun(number, node.shape) for number, node in enumerate(step.states)]
        for number, state in enumerate(states):
            self.found["state", number] = self.found["after", number] = state
        self.found["output", 0] = output
        for buffer in kernel.values:
            self.found["value", buffer.number] = take(self.dtype, rows.batch, buffer.size)
        pointers = self.pointers()
        saved = self.program.saved_memory(rows.total) if keep else torch.empty(0)
        pointers |= self.program.saved_pointers(saved, rows.total)
        panels, memory = self.program.packed(kernel, values)
        self.go(kernel, pointers, panels, 0, rows.steps, 1)
        del memory
        return output, [state[rows.last] for state in states], [output, saved, *states]

    def _begun(self, number: int, shape: tuple[int, ...]) -> Tensor:
        rows, batch = self.rows, self.rows.batch
        states = take(self.dtype, rows.states, *shape)
        states[:batch] = self.inputs.states[number].detach()
        if len(rows.sinks):
            states[rows.states - batch :] = self.inputs.starts[number].detach()
        return states


class _Backward(_Call):
    """All steps, last to first, in chunks; the gradients of weights are added up after each chunk."""

    def __call__(self, kept: Sequence[Tensor], gradients: Sequence[Tensor | None]) -> list[Tensor | None]:
        rows, step = self.rows, self.step
        kernel = self.program.kernel("backward")
        values = self.find([*kernel.layout.buffers, *self.program.plan.factors])
        output, saved, *states = kept
        carry = [self._begun(node.shape, gradients[1 + i]) for i, node in enumerate(step.states)]
        given = torch.zeros_like(output) if gradients[0] is None else gradients[0].contiguous()
        self.found |= {("output", 0): output, ("output gradient", 0): given}
        for number, (state, gradient) in enumerate(zip(states, carry, strict=True)):
            self.found["state", number] = self.found["after", number] = state
            self.found["state gradient", number] = self.found["gradient of state", number] = gradient
        self._make_results()
        make = torch.empty if rows.total else torch.zeros
        sums = [make(contraction_shape(node), dtype=self.dtype) for node in step.sums]
        pointers = self.pointers() | self.program.saved_pointers(saved, rows.total)
        panels, memory = self.program.packed(kernel, values)
        self._chunks(kernel, pointers, panels, sums)
        del memory
        return self._returned(carry, sums)

    def _begun(self, shape: tuple[int, ...], gradient: Tensor | None) -> Tensor:
        rows, batch = self.rows, self.rows.batch
        carry = torch.empty(rows.gradients, *shape, dtype=self.dtype)
        carry[:batch] = 0 if gradient is None else gradient
        carry[3 * batch] = 0
        return carry

    def _make_results(self) -> None:
        """Memory for the gradients of x and of context."""
        make = torch.zeros if self.job.padded else torch.empty
        self.found["gradient of x", 0] = make(self.inputs.x.shape, dtype=self.dtype)
        for number, context in enumerate(self.inputs.contexts):
            self.found["gradient of context", number] = torch.zeros(context.shape, dtype=self.dtype)

    def _chunks(
        self, kernel: Kernel, pointers: dict[tuple[str, int], int], panels: list[int], sums: list[Tensor]
    ) -> None:
        rows, starts = self.rows, self.rows.starts
        length = self.program.chunk(rows)
        chunks = [(first, min(first + length, rows.steps)) for first in range(0, rows.steps, length)]
        most = max((starts[last] - starts[first] for first, last in chunks), default=0)
        values = self.program.plan.backward.values
        memory = {buffer: take(self.dtype, most, buffer.size) for buffer in values}
        for first, last in reversed(chunks):
            for buffer, tensor in memory.items():
                shift = starts[first] * buffer.size * self.dtype.itemsize
                pointers["value", buffer.number] = tensor.data_ptr() - shift
            self.go(kernel, pointers, panels, first, last, -1)
            self.finish(kernel, pointers, panels, starts[first], starts[last])
            part = Chunk(starts[first], starts[last], pointers, rows.tables)
            for contraction, total in zip(self.program.plan.contractions, sums, strict=True):
                part.add(contraction, total, fresh=last == rows.steps)

    def _returned(self, carry: list[Tensor], sums: list[Tensor]) -> list[Tensor | None]:
        rows, given, captured = self.rows, self.inputs, self.program.captured
        states = [tensor[rows.first] for tensor in carry]
        starts = [
            torch.zeros_like(start).index_add_(0, rows.reset_rows, tensor[rows.sinks])
            for tensor, start in zip(carry, given.starts, strict=False)
        ]
        contexts = [
            self.found["gradient of context", i] if context.is_floating_point() else None
            for i, context in enumerate(given.contexts)
        ]
        shaped = [total.view(node.shape) for total, node in zip(sums, self.step.sums, strict=True)]
        learned = iter(self.step.afterwards.forward(*(weight.detach() for weight in given.weights), *shaped))
        weights = [next(learned) if yes else None for yes in captured.learned]
        return [self.found["gradient of x", 0], *states, *starts, *contexts, *(None for _ in given.draws), *weights]


def contraction_shape(node: Node) -> tuple[int, ...]:
    """Of a sum over rows: (heads, M, N)."""
    if len(node.inputs) == 1:
        return (1, 1, node.inputs[0].size)
    left, right = node.inputs
    return (left.shape[0], left.shape[-1], right.shape[-1])
