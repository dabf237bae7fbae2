"""A cell's kernels, ready to run.

Key: T time, B batch, N rows at all steps.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from math import prod
from threading import Lock

import torch

from elman.engine.backends.llvm.cache import addresses
from elman.engine.backends.llvm.kernel import HEADER, KernelText, kernel_text
from elman.engine.backends.llvm.rows import Rows
from elman.engine.backends.llvm.target import host
from elman.engine.backends.llvm.tiles import Tiling
from elman.engine.backends.llvm.walk import Course, Word
from elman.engine.backends.llvm.weights import Panel, Weights
from elman.engine.capture import Captured
from elman.engine.graph import Node
from elman.engine.nest import Nest
from elman.engine.plan import Phase, Plan

LONGEST = 1024
"""Steps that the way back takes at once."""
BYTES = 1 << 23
"""Of values that the way back makes, before it adds up the gradients of weights and starts anew."""
COURSES = 64
"""Calls of different sizes that are remembered."""


class Kernel:
    """A phase, compiled.

    Args:
        phase: What it does.
        dtype: Of the numbers.
        weights: Those of the plan, in order.
    """

    def __init__(self, phase: Phase, dtype: torch.dtype, weights: Sequence[Node] = ()) -> None:
        self.text: KernelText = kernel_text(phase, dtype, host())
        self.layout = self.text.layout
        found = addresses(self.text.text, ("loop", "after", "ahead"))
        self.loop, self.after, self.ahead = found["loop"], found["after"], found["ahead"]
        self.constants = torch.tensor(self.layout.constants or [0.0], dtype=dtype)
        lanes = host().lanes(dtype)
        self.panels = [
            Panel(
                nest.extents,
                tuple((weights.index(access.weight), access.index) for access in run.weights),
                run.operand.length,
                plan.repeat,
                lanes,
            )
            for nest, plan, run in self.layout.panels
        ]
        self.hoists = [_hoisted(nest, plan, lanes) for nest, plan in self.layout.hoists]
        """Numbers for one row at one step, of each sum of products that may be taken ahead."""
        self.values = [buffer for buffer in self.layout.buffers if buffer.role == "value"]
        self.work = sum(panel.work for panel in self.panels)
        """Multiplications for one row at one step."""

    def call(
        self,
        tables: Mapping[str, Word],
        places: Mapping[tuple[str, int], Word],
        panels: Sequence[Word],
        hoists: Sequence[Word] = (),
    ) -> list[Word]:
        """The words of a call.

        Args:
            tables: Words of the header, by name.
            places: Where buffers start, by role and number.
            panels: Where packed weights start.
            hoists: Where sums taken ahead start; none are when omitted.
        """
        tables = {**tables, "constants": self.constants.data_ptr()}
        header = [tables.get(name, 0) for name in HEADER]
        buffers = [places[buffer.role, buffer.number] for buffer in self.layout.buffers]
        return [*header, *buffers, *panels, *(hoists or [0] * len(self.hoists)), *self.layout.sizes]


def _hoisted(nest: Nest, plan: Tiling, lanes: int) -> int:
    blocks = -(-nest.extents[-1] // (plan.repeat * lanes)) * prod(nest.extents[:-1])
    return blocks * len(plan.early) * plan.repeat * lanes


class Program:
    """Everything that is known of a cell's step in one dtype.

    Args:
        captured: The step's pieces that PyTorch runs.
        plan: What the kernels do.
        dtype: Of the numbers.
    """

    def __init__(self, captured: Captured, plan: Plan, dtype: torch.dtype) -> None:
        self.captured, self.plan, self.dtype = captured, plan, dtype
        self.checked: set[bool] = set()
        """For which of evaluation and training a step was compared with the cell's own."""
        direct = {buffer.number for buffer in plan.buffers if buffer.role == "weight"}
        self.weights = Weights(plan.step.sources.forward, dtype, direct)
        self._kernels: dict[str, Kernel] = {}
        self._courses: dict[Hashable, Course] = {}
        self._lock = Lock()

    def kernel(self, name: str) -> Kernel:
        """The kernel of a phase: `inference`, `forward` or `backward`."""
        if name not in self._kernels:
            self._kernels[name] = Kernel(getattr(self.plan, name), self.dtype, self.plan.step.weights)
        return self._kernels[name]

    def course(self, key: Hashable, make: Callable[[], Course]) -> Course:
        """What was put together before for such a call, or is now; those asked for longest ago are forgotten."""
        with self._lock:
            found = self._courses.pop(key, None)
        found = found or make()
        with self._lock:
            self._courses[key] = found
            while len(self._courses) > COURSES:
                del self._courses[next(iter(self._courses))]
        return found

    def chunk(self, rows: Rows) -> int:
        """Steps that the way back takes before it adds up the gradients of weights."""
        size = sum(buffer.size for buffer in self.plan.backward.values) or 1
        most = BYTES // (size * self.dtype.itemsize * max(rows.batch, 1))
        return max(8, min(most, LONGEST))
