"""A call of a cell's kernels, forward and back, as a function that autograd knows.

Key: T time, B batch, N rows at all steps.
"""

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from elman.engine.backends.llvm import team
from elman.engine.backends.llvm.kernel import HEADER
from elman.engine.backends.llvm.program import CHUNK, Chunk, Kernel, Program, shares, table_pointers, words
from elman.engine.backends.llvm.rows import Rows
from elman.engine.graph import Node
from elman.engine.nest import Buffer

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
        again: The same by the plain loop, for gradients of gradients.
    """

    program: Program
    rows: Rows
    time: int
    padded: bool
    resets: bool
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
        return Inputs(parts[0][0], *parts[1:], tuple(tensors[start:]))


class Scan(torch.autograd.Function):
    """All steps of a cell: (job, x, states, starts, contexts, draws, weights) -> (output, states)."""

    @staticmethod
    def forward(ctx: Any, job: Job, *tensors: Tensor) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        keep = any(ctx.needs_input_grad)
        run = _Forward(job, tensors, keep)
        output, states = run()
        if keep:
            ctx.job, ctx.run = job, run
            ctx.save_for_backward(*tensors, *run.kept(output))
        return output, *states

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        count = len(ctx.needs_input_grad) - 1
        tensors, kept = ctx.saved_tensors[:count], ctx.saved_tensors[count:]
        if torch.is_grad_enabled():
            return None, *_twice(ctx.job, tensors, gradients, ctx.needs_input_grad[1:])
        return None, *_Backward(ctx.job, tensors, kept, ctx.run, gradients, ctx.needs_input_grad[1:])()


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


def _buffer(phase_buffers: dict[Node, Buffer], values: dict[Node, Tensor]) -> dict[Buffer, Tensor]:
    return {phase_buffers[node]: value.contiguous() for node, value in values.items() if node in phase_buffers}


class _Call:
    """What both ways share."""

    def __init__(self, job: Job, tensors: Sequence[Tensor]) -> None:
        self.job, self.program, self.rows = job, job.program, job.rows
        self.step = job.program.plan.step
        self.resets = job.resets
        self.inputs = Inputs.of(job.program, self.resets, tensors)
        self.dtype = job.program.dtype
        self.alive: list[Any] = []

    def leaves(self, buffers: dict[Node, Buffer]) -> dict[Buffer, Tensor]:
        """Tensors of the caller as kernels see them."""
        given = self.inputs
        found: dict[Buffer, Tensor] = {}
        values = self.program.values(given.weights)
        for node, buffer in buffers.items():
            number = node.settings.get("number", 0)
            if node.op == "x":
                found[buffer] = given.x.detach().contiguous()
            elif node.op == "context":
                found[buffer] = given.contexts[number].detach().to(self.dtype).contiguous()
            elif node.op == "draw":
                found[buffer] = given.draws[number].detach().contiguous()
            elif node.op == "weight":
                found[buffer] = values[node].contiguous()
        self.values = values
        return found

    def threads(self, kernel: Kernel, rows: int) -> tuple[int, int]:
        """How many threads, and into how many parts each step's work falls."""
        most = team.threads()
        work = sum(run.operand.length * len(run.weights) * nest.extents[-1] for nest, _, run in kernel.layout.panels)
        if most == 1 or work * rows < SMALL:
            return 1, 1
        if rows >= most:
            return most, 1
        return most, most

    def go(
        self, kernel: Kernel, pointers: dict[Buffer, int], panels: list[int], first: int, last: int, way: int
    ) -> None:
        """Run the loop over some steps."""
        threads, parts = self.threads(kernel, self.rows.batch)
        share = words(self.rows.shares(threads) if parts == 1 else [0, self.rows.batch] * threads)
        tables = table_pointers(self.rows) | {
            "share": ctypes.addressof(share), "first": first, "last": last, "onward": way, "parts": parts,
        }  # fmt: skip
        team.run(kernel.loop, kernel.call(tables, pointers, panels), threads)

    def finish(self, kernel: Kernel, pointers: dict[Buffer, int], panels: list[int], first: int, last: int) -> None:
        """Run what comes after the loop, over rows at some steps."""
        if not kernel.text.after or last <= first:
            return
        threads, _ = self.threads(kernel, last - first)
        bounds = [first + (last - first) * i // threads for i in range(threads + 1)]
        share = words([bound for pair in zip(bounds, bounds[1:], strict=False) for bound in pair])
        tables = table_pointers(self.rows) | {"share": ctypes.addressof(share), "parts": 1}
        team.run(kernel.after, kernel.call(tables, pointers, panels), threads)


class _Forward(_Call):
    """All steps, first to last."""

    def __init__(self, job: Job, tensors: Sequence[Tensor], keep: bool) -> None:
        super().__init__(job, tensors)
        self.keep = keep
        self.phase = self.program.plan.forward if keep else self.program.plan.inference
        self.states: list[Tensor] = []
        self.saved: list[Tensor] = []

    def kept(self, output: Tensor) -> list[Tensor]:
        """Tensors that the way back needs."""
        kept = [output, *self.states, *self.saved]
        self.states, self.saved = [], []
        return kept

    def __call__(self) -> tuple[Tensor, list[Tensor]]:
        rows, batch = self.rows, self.rows.batch
        found = self.leaves(self.phase.buffers)
        make = torch.zeros if self.job.padded else torch.empty
        output = make(self.job.time, batch, *self.step.output.shape, dtype=self.dtype)
        for number, node in enumerate(self.step.states):
            self.states.append(self._begun(number, node))
        for node, buffer in self.phase.made.items():
            found.setdefault(buffer, self._memory(node, buffer, output))
        for node, buffer in self.phase.buffers.items():
            if node.op == "state":
                found[buffer] = self.states[node.settings["number"]]
        found |= {self._after(i): state for i, state in enumerate(self.states)}
        found[Buffer("output", "time", self.step.output.size)] = output
        kernel = self.program.kernel("forward" if self.keep else "inference")
        panels, memory = self.program.packed(kernel, self.values)
        self.go(kernel, {b: t.data_ptr() for b, t in found.items()}, panels, 0, rows.steps, 1)
        self.saved = [found[buffer] for buffer in self.program.plan.saved.values()] if self.keep else []
        return output, [state[rows.last] for state in self.states]

    def _after(self, number: int) -> Buffer:
        return Buffer(f"state {number} after", "after", self.step.states[number].size)

    def _begun(self, number: int, node: Node) -> Tensor:
        rows, batch = self.rows, self.rows.batch
        states = torch.empty(rows.states, *node.shape, dtype=self.dtype)
        states[:batch] = self.inputs.states[number]
        if self.resets and len(rows.sinks):
            states[rows.states - batch :] = self.inputs.starts[number]
        return states

    def _memory(self, node: Node, buffer: Buffer, output: Tensor) -> Tensor:
        return torch.empty(self.rows.total if buffer.rows == "step" else 0, buffer.size, dtype=self.dtype)


class _Backward(_Call):
    """All steps, last to first, in chunks; the gradients of weights are added up after each chunk."""

    def __init__(
        self,
        job: Job,
        tensors: Sequence[Tensor],
        kept: Sequence[Tensor],
        forward: _Forward,
        gradients: Sequence[Tensor | None],
        wanted: Sequence[bool],
    ) -> None:
        super().__init__(job, tensors)
        self.kept = kept
        self.gradients = gradients
        self.wanted = wanted
        self.phase = self.program.plan.backward

    def __call__(self) -> list[Tensor | None]:
        rows = self.rows
        found = self._found()
        carry = [self._begun(number, node) for number, node in enumerate(self.step.states)]
        results = self._results()
        found |= results
        for node, buffer in self.phase.buffers.items():
            if node.op == "state_gradient":
                found[buffer] = carry[node.settings["number"]]
            elif buffer.rows == "carries":
                found[buffer] = carry[int(buffer.name.split()[-1])]
        for number, node in enumerate(self.step.states):
            found[Buffer(f"gradient of state {number}", "carries", node.size)] = carry[number]
        sums = [torch.zeros(contraction_shape(node), dtype=self.dtype) for node in self.step.sums]
        kernel = self.program.kernel("backward")
        panels, memory = self.program.packed(kernel, self.values)
        self._chunks(kernel, found, panels, sums)
        return self._returned(carry, results, sums)

    def _found(self) -> dict[Buffer, Tensor]:
        found = self.leaves(self.phase.buffers)
        output, *rest = self.kept
        states, saved = rest[: len(self.step.states)], rest[len(self.step.states) :]
        found |= dict(zip(self.program.plan.saved.values(), saved, strict=True))
        for node, buffer in self.phase.buffers.items():
            if node.op == "state":
                found[buffer] = states[node.settings["number"]]
            elif buffer.rows == "after":
                found[buffer] = states[int(buffer.name.split()[1])]
            elif buffer.name == "output":
                found[buffer] = output
            elif node.op == "output_gradient":
                found[buffer] = self._output_gradient(output)
        return found

    def _output_gradient(self, output: Tensor) -> Tensor:
        gradient = self.gradients[0]
        return torch.zeros_like(output) if gradient is None else gradient.contiguous()

    def _begun(self, number: int, node: Node) -> Tensor:
        rows, batch = self.rows, self.rows.batch
        carry = torch.empty(rows.gradients, *node.shape, dtype=self.dtype)
        gradient = self.gradients[1 + number]
        carry[:batch] = 0 if gradient is None else gradient
        carry[3 * batch] = 0
        return carry

    def _results(self) -> dict[Buffer, Tensor]:
        """Gradients of x and of context."""
        results: dict[Buffer, Tensor] = {}
        for name, node in self.step.gradients.items():
            kind, *number = name.split()
            if kind == "x":
                make = torch.zeros if self.job.padded else torch.empty
                results[Buffer(f"gradient of {name}", "time", node.size)] = make(self.inputs.x.shape, dtype=self.dtype)
            elif kind == "context":
                like = self.inputs.contexts[int(number[0])]
                results[Buffer(f"gradient of {name}", "position", node.size)] = torch.zeros(
                    like.shape, dtype=self.dtype
                )
        return results

    def _chunks(self, kernel: Kernel, found: dict[Buffer, Tensor], panels: list[int], sums: list[Tensor]) -> None:
        rows = self.rows
        ends = [*rows.offsets.tolist(), rows.total]
        chunk = max(1, CHUNK)
        most = max((ends[min(s + chunk, rows.steps)] - ends[s] for s in range(0, rows.steps, chunk)), default=0)
        known = {id(buffer) for buffer in found}
        made = [b for b in self.phase.made.values() if b.rows == "step" and b not in found]
        memory = {buffer: torch.empty(most, buffer.size, dtype=self.dtype) for buffer in made}
        pointers = {buffer: tensor.data_ptr() for buffer, tensor in found.items()}
        for first in reversed(range(0, rows.steps, chunk)):
            last = min(first + chunk, rows.steps)
            for buffer, tensor in memory.items():
                pointers[buffer] = tensor.data_ptr() - ends[first] * buffer.size * tensor.element_size()
            self.go(kernel, pointers, panels, first, last, -1)
            self.finish(kernel, pointers, panels, ends[first], ends[last])
            part = Chunk(ends[first], ends[last], pointers, table_pointers(rows))
            for contraction, total in zip(self.program.plan.contractions, sums, strict=True):
                part.add(contraction, total)

    def _returned(self, carry: list[Tensor], results: dict[Buffer, Tensor], sums: list[Tensor]) -> list[Tensor | None]:
        rows, given = self.rows, self.inputs
        by_name = {buffer.name: tensor for buffer, tensor in results.items()}
        states = [tensor[rows.first] for tensor in carry]
        starts = []
        if self.resets:
            for tensor, start in zip(carry, given.starts, strict=True):
                starts.append(torch.zeros_like(start).index_add_(0, rows.reset_rows, tensor[rows.sinks]))
        contexts = [by_name.get(f"gradient of context {i}") for i in range(len(given.contexts))]
        shaped = [total.view(node.shape) for total, node in zip(sums, self.step.sums, strict=True)]
        learned = iter(self.step.afterwards.forward(*given.weights, *shaped))
        weights = [next(learned) if yes else None for yes in self.program.captured.learned]
        return [by_name["gradient of x"], *states, *starts, *contexts, *(None for _ in given.draws), *weights]


def contraction_shape(node: Node) -> tuple[int, ...]:
    """Of a sum over rows: (heads, M, N)."""
    if len(node.inputs) == 1:
        return (1, 1, node.inputs[0].size)
    left, right = node.inputs
    return (left.shape[0], left.shape[-1], right.shape[-1])
