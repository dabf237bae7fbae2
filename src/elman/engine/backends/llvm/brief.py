"""What calls must know of a cell's kernels: plain data, made from its plan; it may lie on disk for other processes."""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from elman.engine.affine import Affine  # noqa: F401  named by the types of what is read
from elman.engine.backends.llvm.kernel import kernel_text
from elman.engine.backends.llvm.target import host
from elman.engine.backends.llvm.tiles import Tiling
from elman.engine.backends.llvm.weights import Panel
from elman.engine.calls import Calls
from elman.engine.capture import Captured, Draw
from elman.engine.graph import Node
from elman.engine.nest import Buffer, Nest
from elman.engine.phases import Contraction, Phase, Plan

PHASES = ("inference", "forward", "backward")
Function = Callable[..., tuple[Tensor, ...]]


@dataclass(frozen=True)
class KernelBrief:
    """One phase.

    Args:
        text: In LLVM's language.
        buffers: Pointers to them stand in a call, in this order.
        panels: Pointers to packed weights come next.
        hoists: Numbers for one row at one step, of each sum of products that may be taken ahead.
        sizes: Sizes and strides.
        constants: Numbers of the cell.
        after: Are there stages after the loop over time?
    """

    text: str
    buffers: tuple[Buffer, ...]
    panels: tuple[Panel, ...]
    hoists: tuple[int, ...]
    sizes: tuple[int, ...]
    constants: tuple[float, ...]
    after: bool


@dataclass(frozen=True)
class Brief:
    """A step in one dtype.

    Args:
        names: Parameters and buffers that the prelude takes.
        order: Which of them the prelude gives back, if that is all it does.
        draws: What the step draws at random.
        learned: For each weight of the prelude: is it floating point?
        contexts: How many tensors of context there are.
        output: Shape of a row's output.
        states: Shapes of a row's states.
        sums: Shapes of what is summed over rows and time.
        saved: What forward saves for the way back.
        made: What the way back makes for itself.
        contractions: How the sums come about.
        factors: Buffers that these look at.
        direct: Weights that kernels read as they are.
        kernels: By phase.
        prelude: (parameters and buffers) -> weights; None where no plain data can say it, as for the next two.
        sources: (weights) -> weights as kernels see them.
        afterwards: (weights, sums) -> gradients of the learned weights.
    """

    names: tuple[str, ...]
    order: tuple[int, ...] | None
    draws: tuple[Draw, ...]
    learned: tuple[bool, ...]
    contexts: int
    output: tuple[int, ...]
    states: tuple[tuple[int, ...], ...]
    sums: tuple[tuple[int, ...], ...]
    saved: tuple[Buffer, ...]
    made: tuple[Buffer, ...]
    contractions: tuple[Contraction, ...]
    factors: tuple[Buffer, ...]
    direct: tuple[int, ...]
    kernels: dict[str, KernelBrief]
    prelude: Calls | None
    sources: Calls | None
    afterwards: Calls | None

    @property
    def plain(self) -> bool:
        """Is this all there is to know?"""
        return not self.draws and None not in (self.prelude, self.sources, self.afterwards)


def brief(captured: Captured, plan: Plan, dtype: torch.dtype) -> Brief:
    """Of a plan, what calls must know."""
    step = plan.step
    phases: dict[str, Phase] = {name: getattr(plan, name) for name in PHASES}
    return Brief(
        names=captured.names,
        order=captured.order,
        draws=captured.draws,
        learned=captured.learned,
        contexts=captured.contexts,
        output=step.output.shape,
        states=tuple(node.shape for node in step.states),
        sums=tuple(node.shape for node in step.sums),
        saved=tuple(plan.saved.values()),
        made=tuple(plan.backward.values),
        contractions=plan.contractions,
        factors=tuple(plan.factors),
        direct=tuple(sorted({buffer.number for buffer in plan.buffers if buffer.role == "weight"})),
        kernels={name: kernel_brief(phase, dtype, step.weights) for name, phase in phases.items()},
        prelude=Calls.of(captured.prelude),
        sources=Calls.of(step.sources),
        afterwards=Calls.of(step.afterwards),
    )


def kernel_brief(phase: Phase, dtype: torch.dtype, weights: tuple[Node, ...] = ()) -> KernelBrief:
    """Of a phase."""
    written, lanes = kernel_text(phase, dtype, host()), host().lanes(dtype)
    layout = written.layout
    panels = (
        Panel(
            nest.extents,
            tuple((weights.index(access.weight), access.index) for access in run.weights),
            run.operand.length,
            plan.repeat,
            lanes,
        )
        for nest, plan, run in layout.panels
    )
    hoists = (_hoisted(nest, plan, lanes) for nest, plan in layout.hoists)
    return KernelBrief(
        written.text,
        tuple(layout.buffers),
        tuple(panels),
        tuple(hoists),
        tuple(layout.sizes),
        tuple(layout.constants),
        written.after,
    )


def _hoisted(nest: Nest, plan: Tiling, lanes: int) -> int:
    blocks = -(-nest.extents[-1] // (plan.repeat * lanes)) * prod(nest.extents[:-1])
    return blocks * len(plan.early) * plan.repeat * lanes
