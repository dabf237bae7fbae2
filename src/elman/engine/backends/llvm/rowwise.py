"""A stage without products: its nests, for one row after the other.

Key: n a row at a step, j the first entry of a vector.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from elman.engine.backends.llvm.body import NEUTRAL, BodyWriter
from elman.engine.backends.llvm.text import Value
from elman.engine.nest import Nest


class RowWriter(BodyWriter):
    """Writes loops over the entries of a row, and totals over them."""

    def write(self, nests: Sequence[Nest]) -> None:
        """Nests without products: one row after the other, by the first part alone."""
        mine = self.assign("icmp eq i64 %part, 0")
        with self.when(mine), self.loop("%n0", "%n1") as n:
            for nest in nests:
                with self.scope():
                    self._nest(nest, n)

    def _nest(self, nest: Nest, n: str) -> None:
        totals = {
            i: self.alloca(self.type(), self.lanes * self.dtype.itemsize)
            for i, line in enumerate(nest.body)
            if line.kind == "reduce"
        }
        if nest.kind == "running":
            return self._running(nest, n)
        if nest.kind == "each":
            with self._counting(nest.extents[:-1]) as outer, self._lanes(nest) as (j, mask):
                self.body(nest, n, [*outer, j], mask)
            return None
        if nest.kind == "across":
            with self._counting(nest.extents[: nest.outer]) as outer:
                self._start(nest, totals)
                with self._counting(nest.extents[nest.outer : -1]) as inner, self._lanes(nest) as (j, mask):
                    self.body(nest, n, [*outer, *inner, j], mask, totals=totals)
                self._finish(nest, n, totals, outer, None)
            return None
        with self._counting(nest.extents[: nest.outer]) as outer, self._lanes(nest) as (j, mask):
            self._start(nest, totals)
            with self._counting(nest.extents[nest.outer : -1]) as inner:
                self.body(nest, n, [*outer, *inner, j], mask, totals=totals)
            counters = [*outer, *("0" for _ in nest.extents[nest.outer : -1]), j]
            self._finish(nest, n, totals, counters, mask)
        return None

    def _start(self, nest: Nest, totals: dict[int, str]) -> None:
        for i, total in totals.items():
            neutral = self.value(NEUTRAL[nest.body[i].name or "sum"])
            self.do(f"store {self.type()} {neutral.name}, ptr {total}")

    def _finish(self, nest: Nest, n: str, totals: dict[int, str], counters: Sequence[str], mask: Value | None) -> None:
        """Store totals: of all lanes together, or lane by lane."""
        lane = len(nest.extents) - 1
        for i, total in totals.items():
            line = nest.body[i]
            assert line.buffer is not None
            value = Value(self, self.assign(f"load {self.type()}, ptr {total}"))
            if mask is not None:
                self.store(value, line.buffer, n, line.place, counters, lane, mask)
                continue
            one = self._together(line.name, value)
            address = self.element(self.row(line.buffer, n), self.at(line.place, counters))
            self.do(f"store {self.scalar} {one}, ptr {address}")

    def _together(self, kind: str, value: Value) -> str:
        """All lanes as one number, halves upon halves."""
        width = self.lanes
        while width > 1:
            width //= 2
            lanes = ", ".join(f"i32 {(i + width) % self.lanes}" for i in range(self.lanes))
            moved = self.emit(
                f"shufflevector {self.type()} {value.name}, {self.type()} poison, <{self.lanes} x i32> <{lanes}>"
            )
            value = self.joined(kind, value, moved)
        return self.assign(f"extractelement {self.type()} {value.name}, i64 0")

    def _running(self, nest: Nest, n: str) -> None:
        """Totals along the last loop, one entry after the other."""
        lanes, self.lanes = self.lanes, 1
        totals = {i: self.alloca(self.type()) for i, line in enumerate(nest.body) if line.kind == "running"}
        always = Value(self, "splat (i1 true)", "truth")
        with self._counting(nest.extents[:-1]) as outer:
            self._start(nest, totals)
            with self.loop("0", self.size(nest.extents[-1])) as j:
                self.body(nest, n, [*outer, j], always, totals=totals)
        self.lanes = lanes

    @contextmanager
    def _counting(self, extents: Sequence[int]) -> Iterator[list[str]]:
        """Loops within loops."""
        if not extents:
            yield []
            return
        with self.loop("0", self.size(extents[0])) as first, self._counting(extents[1:]) as rest:
            yield [first, *rest]

    @contextmanager
    def _lanes(self, nest: Nest) -> Iterator[tuple[str, Value]]:
        """The last loop, a vector at a time."""
        extent = nest.extents[-1]
        with self.loop("0", self.size(extent), str(self.lanes)) as j:
            yield j, self.mask(j, extent)
