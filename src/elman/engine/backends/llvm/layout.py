"""What a call of a kernel brings, word by word, and how its functions look it up.

All sizes, strides and numbers of a cell come with the call, so the text is the same for every size of a cell, and one
kernel serves them all. What a call brings stands in one array of 8-byte words (`Layout`).

Key: n a row at a step, in the engine's own order.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch

from elman.engine.affine import Affine
from elman.engine.backends.llvm.maths import Maths
from elman.engine.backends.llvm.text import LITERALS, Value, Writer
from elman.engine.backends.llvm.tiles import Run, Tiling
from elman.engine.nest import Buffer, Nest

TABLES = ("time", "before", "after", "carried", "carries", "position")
"""Arrays that tell where a row at a step finds its entry in a buffer of that kind."""
HEADER = (
    *TABLES,
    "offsets",
    "counts",
    "share",
    "first",
    "last",
    "onward",
    "number",
    "wait",
    "team",
    "parts",
    "mode",
    "constants",
)
"""Words that every kernel gets: tables, where a step's rows start and how many there are, which rows are whose, the
steps to take and in which direction, functions of the threads, and the numbers of the cell."""


@dataclass
class Layout:
    """Which word of a call is what.

    Args:
        buffers: Pointers to buffers come after the header, in this order.
        panels: Pointers to packed weights come next: the nest that a run belongs to, its tiling, and the run.
        hoists: Pointers to sums of products whose operands are there before time begins, taken ahead for many steps
            at once; null where they are taken in the loop.
        sizes: Sizes and strides come last.
        constants: Numbers of the cell.
    """

    buffers: list[Buffer] = field(default_factory=list)
    panels: list[tuple[Nest, Tiling, Run]] = field(default_factory=list)
    hoists: list[tuple[Nest, Tiling]] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    constants: list[float] = field(default_factory=list)


class CallWriter(Writer):
    """Writes a function that finds its way through the words of a call."""

    def __init__(self, dtype: torch.dtype, lanes: int, layout: Layout) -> None:
        super().__init__(dtype, lanes)
        self.layout = layout
        self.maths = Maths(self)
        self._words: dict[int, str] = {}
        self._rows: dict[tuple[Buffer, str], str] = {}

    def word(self, number: int, kind: str = "ptr") -> str:
        """One of the call's words."""
        if number not in self._words:
            name = self.fresh()
            self.heads.append(f"  {name}a = getelementptr i64, ptr %call, i64 {number}")
            self.heads.append(f"  {name} = load {kind}, ptr {name}a, !invariant.load !2")
            self._words[number] = name
        return self._words[number]

    def header(self, name: str, kind: str = "ptr") -> str:
        """One of the words that every kernel gets."""
        return self.word(HEADER.index(name), kind)

    def pointer(self, buffer: Buffer) -> str:
        """Where a buffer starts."""
        return self.word(len(HEADER) + self.layout.buffers.index(buffer))

    def panel(self, number: int) -> str:
        """Where packed weights start."""
        return self.word(len(HEADER) + len(self.layout.buffers) + number)

    def hoist(self, plan: Tiling) -> str:
        """Where sums that were taken ahead start."""
        number = next(i for i, each in enumerate(self.layout.hoists) if each[1] is plan)
        return self.word(len(HEADER) + len(self.layout.buffers) + len(self.layout.panels) + number)

    def size(self, number: int) -> str:
        """A size or a stride; its word is found by its value."""
        if number in (0, 1):
            return str(number)
        if number not in self.layout.sizes:
            self.layout.sizes.append(number)
        place = self.layout.sizes.index(number)
        layout = self.layout
        start = len(HEADER) + len(layout.buffers) + len(layout.panels) + len(layout.hoists)
        return self.word(start + place, "i64")

    def constant(self, number: float) -> Value:
        """A number of the cell, in every lane."""
        if number in LITERALS or number != number or number in (float("inf"), float("-inf")):
            return self.value(number)
        if number not in self.layout.constants:
            self.layout.constants.append(number)
        address = self.element(self.header("constants"), str(self.layout.constants.index(number)))
        return self.splat(self.assign(f"load {self.scalar}, ptr {address}, !invariant.load !2"))

    def row(self, buffer: Buffer, n: str) -> str:
        """Where the entry of a row at a step starts."""
        key = (buffer, n)
        if key not in self._rows:
            if buffer.rows == "shared":
                return self.pointer(buffer)
            index = n
            table_name = "position" if buffer.rows == "scratch" else buffer.rows
            if table_name in TABLES:
                table = self.element(self.header(table_name), n, "i64")
                index = self.assign(f"load i64, ptr {table}, !invariant.load !2")
            offset = self.i64("mul", index, self.size(buffer.size))
            self._rows[key] = self.element(self.pointer(buffer), offset)
        return self._rows[key]

    @contextmanager
    def scope(self) -> Iterator[None]:
        """What is computed inside is not known outside."""
        rows = dict(self._rows)
        yield
        self._rows = rows

    def at(self, place: Affine, counters: Sequence[str]) -> str:
        """A place in an entry, from the loops' counters."""
        total = self.size(place.start)
        for loop, step in place.steps:
            term = counters[loop] if step == 1 else self.i64("mul", counters[loop], self.size(step))
            total = term if total == "0" else self.i64("add", total, term)
        return total
