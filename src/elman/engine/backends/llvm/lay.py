"""Whole calls, forward and back, laid out: which functions run in which order, and where everything lies.

Only sizes are known here. Addresses stand as places in what a call brings, by name: `x`, `state i` (before the first
step), `start i` (after a reset), `context i`, `draw i`, `weight i`, `output`, `final i` (the last states), `room` (used
for as long as the call takes) and `kept` (for the way back); on the way back also `gradient i` (of the last states),
`output gradient`, `sum i`, and what is to be found: `gradient of x`, of `state i`, `reset i` and `context i`.

Key: T time, B batch, N rows at all steps.
"""

import ctypes
from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import accumulate
from math import prod

from elman.engine.backends.llvm import team
from elman.engine.backends.llvm.contract import Sums
from elman.engine.backends.llvm.library import library
from elman.engine.backends.llvm.program import Program
from elman.engine.backends.llvm.rows import Rows
from elman.engine.backends.llvm.tiled import READY
from elman.engine.backends.llvm.walk import Course, Place, Walk, Word, Words, aligned, shares, whole
from elman.engine.backends.llvm.weights import Lying, Panel
from elman.engine.nest import Buffer

LONGEST = 1024
"""Steps that the way back takes at once."""
BYTES = 1 << 23
"""Of values that the way back makes, before it adds up the gradients of weights and starts anew."""
FEW = 4
"""Rows of a thread below which products of the input are taken ahead."""
CHUNK, AHEAD = 64, 512
"""For so many steps at once, or so many rows if these are more."""
SMALL = 1 << 18
"""Multiplications below which a second thread costs more than it brings."""
FAR = 1 << 20
"""Bytes of weights for each row of a thread from which on threads share the blocks, for they come from far away."""
SPLIT = 1 << 14
"""Multiplications at a step below which threads that share its blocks wait for longer than they work."""


def there(program: Program, name: str, rows: Rows, lying: Lying) -> Course:
    """All steps, first to last.

    Args:
        program: The cell's kernels.
        name: Of the phase: `inference`, or `forward`, which keeps what the way back needs.
        rows: The order of the rows.
        lying: How the weights lie.
    """
    return _remembered(program, name, rows, lying, _There)


def back(program: Program, rows: Rows, lying: Lying) -> Course:
    """All steps, last to first, in chunks; the gradients of weights are added up after each chunk."""
    return _remembered(program, "backward", rows, lying, _Back)


def kept_bytes(program: Program, rows: Rows) -> int:
    """Memory for what the way back needs."""
    *_, size = _kept_starts(program, rows)
    return size


def _kept_starts(program: Program, rows: Rows) -> list[int]:
    """In the memory that is kept: all states, then each value that is saved, all rows of each; at last its end."""
    item = program.dtype.itemsize
    sizes = [rows.states * prod(shape) * item for shape in program.brief.states]
    sizes += [rows.total * buffer.size * item for buffer in program.brief.saved]
    return list(accumulate(map(aligned, sizes), initial=0))


def _remembered(program: Program, name: str, rows: Rows, lying: Lying, make: type["_Call"]) -> Course:
    threads = team.threads() if program.kernel(name).work * rows.total >= SMALL else 1

    def course() -> Course:
        return make(program, name, rows, lying, threads).course()

    return program.course((name, rows, lying, threads), course) if rows.lasting else course()


def _chunk(made: Sequence[Buffer], item: int, batch: int) -> int:
    """Steps that the way back takes before it adds up the gradients of weights."""
    size = sum(buffer.size for buffer in made) or 1
    return max(8, min(BYTES // (size * item * max(batch, 1)), LONGEST))


class _Call(ABC):
    """What both ways share."""

    def __init__(self, program: Program, name: str, rows: Rows, lying: Lying, threads: int) -> None:
        self.program, self.rows, self.brief, self.item = program, rows, program.brief, program.dtype.itemsize
        self.states = [prod(shape) for shape in program.brief.states]
        """Numbers in each state of a row."""
        self.name, self.kernel, self.walk = name, program.kernel(name), Walk(threads)
        self.walk.hold(rows)
        self.places: dict[tuple[str, int], Place] = {("x", 0): Place("x"), ("output", 0): Place("output")}
        """Where buffers start, by role and number."""
        counts = {"context": self.brief.contexts, "draw": len(self.brief.draws)}
        for role, count in counts.items():
            self.places |= {(role, number): Place(f"{role} {number}") for number in range(count)}
        self.places |= {("weight", number): weight.place for number, weight in enumerate(lying.weights)}
        starts = _kept_starts(program, rows)
        self.kept_states = [Place("kept", start) for start in starts[: len(self.states)]]
        saved = zip(self.brief.saved, starts[len(self.states) :], strict=False)
        self.places |= {("saved", buffer.number): Place("kept", start) for buffer, start in saved}
        self.panels = [self._packed(panel, lying) for panel in self.kernel.brief.panels]
        self._hoisted = self._hoist_room()

    @abstractmethod
    def course(self) -> Course:
        """The whole call."""

    def _packed(self, panel: Panel, lying: Lying) -> Place:
        to = self.walk.room(panel.size * self.item)
        panel.pack(library(self.program.dtype)["pack"], lying.weights, to, self.walk, self.item)
        return to

    def move(self, to: Place, source: Word, size: int, count: int, table: int = 0) -> None:
        """Entries of a size go to a place; a table may tell which. No source makes zeros."""
        share = shares(count, self.walk.threads)
        self.walk.hold(share)
        call = [source, to, table, size * self.item, ctypes.addressof(share), team.number_address()]
        self.walk.add(library(self.program.dtype)["move"], call)

    def _hoist_room(self) -> list[Place]:
        """For sums of products that are taken ahead of the loop; none where they are taken in it.

        Where a thread has too few rows to keep it busy while it reads the weights, products of the input are taken
        ahead, for many steps at once.
        """
        batch = self.rows.batch
        if batch >= FEW * self.walk.threads or self.rows.steps < FEW:
            return []
        self.length = max(CHUNK, AHEAD // max(batch, 1))
        most = min(self.rows.total, self.length * batch)
        return [self.walk.room(most * size * self.item) for size in self.kernel.brief.hoists]

    def go(self, first: int, last: int, way: int) -> None:
        """The loop over some steps: threads share the rows, or where there are few for many weights, the blocks."""
        rows, threads = self.rows, self.walk.threads
        weights = sum(panel.size for panel in self.kernel.brief.panels) * self.item
        wanted = rows.batch < threads or weights * threads >= FAR * rows.batch
        split = threads > 1 and wanted and self.kernel.work * rows.batch >= SPLIT
        share = whole(rows.batch, threads) if split else rows.share(threads)
        header = self._header(share) | {"onward": way, "parts": threads if split else 1}
        if not self._hoisted:
            return self._loop(header | {"first": first, "last": last})
        for low in range(first, last, self.length):
            high = min(low + self.length, last)
            start, end = rows.starts[low], rows.starts[high]
            sizes = zip(self._hoisted, self.kernel.brief.hoists, strict=True)
            hoists = [place + -start * size * self.item for place, size in sizes]
            self._outside(self.kernel.ahead, start, end, hoists)
            self._loop(header | {"first": low, "last": high, "mode": READY}, hoists)
        return None

    def _header(self, share: Words) -> dict[str, Word]:
        self.walk.hold(share)
        return {**self.rows.tables, **self.walk.team, "share": ctypes.addressof(share)}

    def _loop(self, header: dict[str, Word], hoists: Sequence[Place] = ()) -> None:
        self.walk.add(self.kernel.loop, self.kernel.call(header, self.places, self.panels, hoists))
        self.walk.wait()

    def _outside(self, function: int, first: int, last: int, hoists: Sequence[Place] = ()) -> None:
        """What comes before or after the loop, over rows at some steps."""
        header = self._header(shares(last - first, self.walk.threads, first)) | {"parts": 1}
        self.walk.add(function, self.kernel.call(header, self.places, self.panels, hoists))
        self.walk.wait()


class _There(_Call):
    def course(self) -> Course:
        rows, batch, states = self.rows, self.rows.batch, self.states
        for number, (size, place) in enumerate(zip(states, self._states(), strict=True)):
            self.places["state", number] = self.places["after", number] = place
            self.move(place, Place(f"state {number}"), size, batch)
            if len(rows.sinks):
                after = place + (rows.states - batch) * size * self.item
                self.move(after, Place(f"start {number}"), size, batch)
        for buffer in self.kernel.values:
            self.places["value", buffer.number] = self.walk.room(batch * buffer.size * self.item)
        self.walk.wait()
        self.go(0, rows.steps, 1)
        for number, size in enumerate(states):
            self.move(Place(f"final {number}"), self.places["state", number], size, batch, rows.last.data_ptr())
        return self.walk.ready()

    def _states(self) -> list[Place]:
        if self.name == "forward":
            return self.kept_states
        return [self.walk.room(self.rows.states * size * self.item) for size in self.states]


class _Back(_Call):
    def course(self) -> Course:
        rows, batch, states = self.rows, self.rows.batch, self.states
        self.places["output gradient", 0] = Place("output gradient")
        self.places["gradient of x", 0] = Place("gradient of x")
        for number in range(self.brief.contexts):
            self.places["gradient of context", number] = Place(f"gradient of context {number}")
        for number, (size, kept) in enumerate(zip(states, self.kept_states, strict=True)):
            self.places["state", number] = self.places["after", number] = kept
            carry = self.walk.room(rows.gradients * size * self.item)
            self.places["state gradient", number] = self.places["gradient of state", number] = carry
            self.move(carry, Place(f"gradient {number}"), size, batch)
            self.move(carry + 3 * batch * size * self.item, 0, size, 1)
        self.walk.wait()
        self._chunks()
        for number, size in enumerate(states):
            carry = self.places["state gradient", number]
            self.move(Place(f"gradient of state {number}"), carry, size, batch, rows.first.data_ptr())
            if len(rows.sinks):
                to, events = Place(f"gradient of reset {number}"), len(rows.sinks)
                self.move(to, carry, size, events, rows.sinks.data_ptr())
        return self.walk.ready()

    def _chunks(self) -> None:
        rows, brief, starts = self.rows, self.brief, self.rows.starts
        length = _chunk(brief.made, self.item, rows.batch)
        chunks = [(first, min(first + length, rows.steps)) for first in range(0, rows.steps, length)]
        most = max((starts[last] - starts[first] for first, last in chunks), default=0)
        memory = {buffer: self.walk.room(most * buffer.size * self.item) for buffer in brief.made}
        sums = Sums(brief.contractions, self.places, rows.tables, self.program.dtype, self.walk)
        for first, last in reversed(chunks):
            start, end = starts[first], starts[last]
            for buffer, place in memory.items():
                self.places["value", buffer.number] = place + -start * buffer.size * self.item
            self.go(first, last, -1)
            if self.kernel.brief.after:
                self._outside(self.kernel.after, start, end)
            sums.add(start, end, fresh=last == rows.steps)
            self.walk.wait()
