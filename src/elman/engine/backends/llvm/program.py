"""A cell's kernels, ready to run."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from threading import Lock

import torch

from elman.engine.backends.llvm.brief import Brief, Function, KernelBrief
from elman.engine.backends.llvm.cache import addresses
from elman.engine.backends.llvm.layout import HEADER
from elman.engine.backends.llvm.store import Slot
from elman.engine.backends.llvm.walk import Course, Word
from elman.engine.backends.llvm.weights import Weights
from elman.engine.lower import Lowered
from elman.errors import Refused

COURSES = 64
"""Calls of different sizes that are remembered."""


class Kernel:
    """A phase, compiled."""

    def __init__(self, brief: KernelBrief, dtype: torch.dtype) -> None:
        self.brief = brief
        found = addresses(brief.text, ("loop", "after", "ahead"))
        self.loop, self.after, self.ahead = found["loop"], found["after"], found["ahead"]
        self.constants = torch.tensor(brief.constants or [0.0], dtype=dtype)
        self.values = [buffer for buffer in brief.buffers if buffer.role == "value"]
        self.work = sum(panel.work for panel in brief.panels)
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
        buffers = [places[buffer.role, buffer.number] for buffer in self.brief.buffers]
        return [*header, *buffers, *panels, *(hoists or [0] * len(self.brief.hoists)), *self.brief.sizes]


def _prelude(brief: Brief) -> Function | None:
    """Most preludes only pass weights on."""
    order = brief.order
    return brief.prelude if order is None else lambda *given: tuple(given[place] for place in order)


class Program:
    """Everything that is known of a cell's step in one dtype.

    Args:
        brief: What calls must know.
        dtype: Of the numbers.
        slot: Where the brief belongs on disk.
        origin: The graphs that it was made from; None where it comes from disk.
    """

    def __init__(self, brief: Brief, dtype: torch.dtype, slot: Slot, origin: Lowered | None = None) -> None:
        self.brief, self.dtype, self._slot, self._origin = brief, dtype, slot, origin
        self.from_disk = origin is None
        self._kept = self.from_disk
        self.checked: set[bool] = set()
        """For which of evaluation and training a step was compared with the cell's own."""
        self.prelude: Function = _prelude(brief) or self.origin.captured.prelude.forward
        self.afterwards: Function = brief.afterwards or self.origin.plan.step.afterwards.forward
        self.weights = Weights(brief.sources or self.origin.plan.step.sources.forward, dtype, set(brief.direct))
        self._kernels: dict[str, Kernel] = {}
        self._courses: dict[Hashable, Course] = {}
        self._lock = Lock()

    @property
    def origin(self) -> Lowered:
        """The graphs that it was made from."""
        if self._origin is None:
            raise Refused("the graphs of this program lie in another process")
        return self._origin

    def traced(self, make: Callable[[], Lowered]) -> Lowered:
        """The same, made now if need be."""
        if self._origin is None:
            self._origin = make()
        return self._origin

    def keep(self) -> None:
        """Put the brief on disk: it has stood the test."""
        if not self._kept:
            self._kept = True
            self._slot.write(self.brief)

    def kernel(self, name: str) -> Kernel:
        """The kernel of a phase: `inference`, `forward` or `backward`."""
        if name not in self._kernels:
            self._kernels[name] = Kernel(self.brief.kernels[name], self.dtype)
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
