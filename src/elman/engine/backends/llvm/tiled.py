"""A stage of products: blocks of entries, tiles of rows, and what is done with the sums while they are near.

Key: n a row at a step, q a block of entries, j the first entry of a vector.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from elman.engine.backends.llvm.body import BodyWriter
from elman.engine.backends.llvm.text import Value
from elman.engine.backends.llvm.tiles import ROWS, Run, Tiling
from elman.engine.nest import Nest

AT_ONCE, AHEAD, READY = range(3)
"""Modes of a stage: take all products; take early ones only and put them aside; find them there."""


class TileWriter(BodyWriter):
    """Writes how tiles of rows take their products, and what follows."""

    def write(self, nest: Nest, plan: Tiling) -> None:
        """Blocks of entries, and for each of them tiles of rows: products, then what is done with them."""
        block = plan.repeat * self.lanes
        more = self.i64("add", self.size(nest.extents[-1]), str(block - 1))
        blocks = self.i64("sdiv", more, str(block))
        total = blocks
        for extent in nest.extents[:-1]:
            total = self.i64("mul", total, self.size(extent))
        parts = self.header("parts", "i64")
        first = self.i64("sdiv", self.i64("mul", total, "%part"), parts)
        last = self.i64("sdiv", self.i64("mul", total, self.i64("add", "%part", "1")), parts)
        width = len(nest.slots) * plan.repeat * ROWS * self.lanes
        sums = self.alloca(f"[{width} x {self.scalar}]", 64)
        rows = self.alloca(f"[{ROWS} x ptr]")
        back = self.assign("icmp eq i64 %turn, 1")
        with self.loop(first, last) as counted:
            # every other step from the other end: what was read last is still near
            mirrored = self.i64("sub", self.i64("sub", self.i64("add", first, last), "1"), counted)
            q = self.assign(f"select i1 {back}, i64 {mirrored}, i64 {counted}")
            outer = self._unfolded(q, blocks, nest.extents[:-1])
            start = self.i64("mul", self.i64("srem", q, blocks), str(block))
            panels = [self._panel_of(q, plan, run) for run in plan.runs]
            with self._tiles() as (n, height):
                self._clear(plan, sums)
                work = list(zip(plan.runs, panels, strict=True))
                hoisted = any(plan is each for _, each in self.layout.hoists)
                if hoisted:
                    place = self._ahead(plan, n, q, total)
                    ahead = self.assign(f"icmp eq i64 %mode, {AHEAD}")
                    ready = self.assign(f"icmp eq i64 %mode, {READY}")
                    with self.when(self.assign(f"xor i1 {ready}, true")):
                        self._take_all(work, True, plan, sums, rows, n, height, outer)
                    with self.when(ahead):
                        self._move(plan, sums, place, height, total, back=False)
                    with self.when(ready):
                        self._move(plan, sums, place, height, total, back=True)
                    with self.when(self.assign(f"xor i1 {ahead}, true")):
                        self._take_all(work, False, plan, sums, rows, n, height, outer)
                        self._tail(nest, plan, sums, n, height, outer, start)
                else:
                    self._take_all(work, None, plan, sums, rows, n, height, outer)
                    self._tail(nest, plan, sums, n, height, outer, start)

    def _take_all(
        self,
        work: list[tuple[Run, str]],
        early: bool | None,
        plan: Tiling,
        sums: str,
        rows: str,
        n: str,
        height: str,
        outer: Sequence[str],
    ) -> None:
        """Products of all operands, or of those that are there before time begins, or of the others."""
        for run, panel in work:
            if early is None or run.early == early:
                self._take(run, plan, panel, sums, rows, n, height, outer)

    def _ahead(self, plan: Tiling, n: str, q: str, blocks: str) -> str:
        """Where the sums of a row's block lie that were taken ahead."""
        size = len(plan.early) * plan.repeat * self.lanes
        block = self.i64("add", self.i64("mul", n, blocks), q)
        return self.element(self.hoist(plan), self.i64("mul", block, str(size)))

    def _move(self, plan: Tiling, sums: str, place: str, height: str, blocks: str, back: bool) -> None:
        """Sums of a tile to where they wait, or back."""
        kind, align = self.type(), self.lanes * self.dtype.itemsize
        size = len(plan.early) * plan.repeat * self.lanes
        with self.loop("0", height) as r:
            row = self.element(place, self.i64("mul", self.i64("mul", r, blocks), str(size)))
            for i, slot in enumerate(plan.early):
                for u in range(plan.repeat):
                    vector = slot * plan.repeat + u
                    at = self.i64("mul", self.i64("add", r, str(vector * ROWS)), str(self.lanes))
                    here = self.element(sums, at)
                    there = self.element(row, str((i * plan.repeat + u) * self.lanes))
                    source, target = (there, here) if back else (here, there)
                    value = self.assign(f"load {kind}, ptr {source}, align {align}")
                    self.do(f"store {kind} {value}, ptr {target}, align {align}")

    def _clear(self, plan: Tiling, sums: str) -> None:
        """Start sums at zero."""
        kind = self.type()
        for place in plan.cleared:
            for vector in range(plan.repeat * ROWS):
                address = self.element(sums, str((place * plan.repeat * ROWS + vector) * self.lanes))
                self.do(f"store {kind} zeroinitializer, ptr {address}, align {self.lanes * self.dtype.itemsize}")

    def _unfolded(self, q: str, blocks: str, extents: Sequence[int]) -> list[str]:
        """The counters of the loops around the blocks."""
        rest = self.i64("sdiv", q, blocks) if extents else "0"
        counters: list[str] = []
        for extent in reversed(extents):
            counters.append(self.i64("srem", rest, self.size(extent)))
            rest = self.i64("sdiv", rest, self.size(extent))
        return counters[::-1]

    def _panel_of(self, q: str, plan: Tiling, run: Run) -> str:
        number = next(i for i, each in enumerate(self.layout.panels) if each[1] is plan and each[2] is run)
        size = self.i64("mul", self.size(run.operand.length), str(plan.vectors(run) * self.lanes))
        return self.element(self.panel(number), self.i64("mul", q, size))

    @contextmanager
    def _tiles(self) -> Iterator[tuple[str, str]]:
        """Tiles of four rows; what is left goes in tiles of three and two, not of one if it can be helped."""
        place = self.alloca("i64")
        head, body, done = self.label(), self.label(), self.label()
        self.do(f"store i64 %n0, ptr {place}")
        self.do(f"br label %{head}")
        self.place(head)
        n = self.assign(f"load i64, ptr {place}")
        left = self.i64("sub", "%n1", n)
        self.do(f"br i1 {self.assign(f'icmp sgt i64 {left}, 0')}, label %{body}, label %{done}")
        self.place(body)
        five = self.assign(f"icmp eq i64 {left}, {ROWS + 1}")
        most = self.assign(f"select i1 {five}, i64 {ROWS - 1}, i64 {ROWS}")
        height = self.least(left, most)
        yield n, height
        self.do(f"store i64 {self.i64('add', n, height)}, ptr {place}")
        self.do(f"br label %{head}, !llvm.loop !0")
        self.place(done)

    def _take(
        self, run: Run, plan: Tiling, panel: str, sums: str, rows: str, n: str, height: str, outer: Sequence[str]
    ) -> None:
        """Let a tile take one operand's products."""
        last = self.i64("sub", self.i64("add", n, height), "1")
        offset = self.at(run.operand.place, outer)
        for r in range(ROWS):
            with self.scope():
                row = self.least(self.i64("add", n, str(r)), last)
                address = self.element(self.row(run.operand.buffer, row), offset)
                self.do(f"store ptr {address}, ptr {self.element(rows, str(r), 'ptr')}")
        start = self.element(sums, str(run.first * plan.repeat * ROWS * self.lanes))
        fresh = 1 if run.fresh else 0
        arguments = f"ptr {rows}, i64 {self.size(run.operand.length)}, ptr {panel}, ptr {start}, i64 {fresh}"
        self.do(f"call void @tile_{plan.vectors(run)}({arguments}, i64 {height})")

    def _tail(self, nest: Nest, plan: Tiling, sums: str, n: str, height: str, outer: Sequence[str], start: str) -> None:
        """What is done with the sums, row by row."""
        kind, align = self.type(), self.lanes * self.dtype.itemsize
        with self.loop("0", height) as r, self.loop("0", str(plan.repeat)) as u:
            j = self.i64("add", start, self.i64("mul", u, str(self.lanes)))
            inside = self.assign(f"icmp slt i64 {j}, {self.size(nest.extents[-1])}")
            with self.when(inside), self.scope():

                def total(slot: int) -> Value:
                    vector = self.i64("add", u, str(plan.order.index(slot) * plan.repeat))
                    at = self.i64("mul", self.i64("add", self.i64("mul", vector, str(ROWS)), r), str(self.lanes))
                    return self.emit(f"load {kind}, ptr {self.element(sums, at)}, align {align}")

                row = self.i64("add", n, r)
                self.body(nest, row, [*outer, j], self.mask(j, nest.extents[-1]), sums=total)
