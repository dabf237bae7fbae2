"""Functions that sum over rows: outer products of two vectors of each row, or the vectors themselves.

`outer` adds to C (M, N), or starts it: the gradients of weights. One vector on the left may have several on the right,
each with its own C, for laying it out is dear. `total` does the same with the vectors themselves: the gradient of a
bias. Rows go in blocks of `DEPTH`, each block's sum started at zero, so that threads do not change a bit.

Key: n a row at a step, m and c entries of the two vectors.
"""

from elman.engine.backends.llvm.shared import SharedFunction
from elman.engine.backends.llvm.text import Value, Writer
from elman.engine.backends.llvm.tiles import ROWS

DEPTH = 512
"""Rows in a block of `outer`."""
SPAN = ROWS * DEPTH + 16
"""From one packed tile to the next; not a power of two, for such distances share few places in the cache."""
WIDEST = 4
"""Vectors in a panel of columns."""
WIDTHS = 1, 2, WIDEST
BRIEF = 32
"""Vectors that `total` adds up before they join the sum."""

OUTER = ("m", "left", "left_table", "left_size", "first", "last", "share", "scratch", "scratch_size", "number", "count")
RIGHT = ("to", "c", "right", "right_table", "right_size", "share", "fresh", "vectors")
"""What follows in a call of `outer`, for each right side; no vectors mean that it is added up itself."""
TOTAL = (*RIGHT, "first", "last", "number")


class Outer(SharedFunction):
    """`outer`: each thread has a share of the tiles of m, or of the panels of c on each right side."""

    words = OUTER

    def text(self) -> str:
        thread = self.thread(self.word("number", "ptr"))
        first, last = self.word("first"), self.word("last")
        tiles = self.own_share(self.word("share", "ptr"), thread)
        mine = self.i64("mul", thread, self.word("scratch_size"))
        packed_left = self.element(self.word("scratch", "ptr"), mine)
        packed_right = self.element(packed_left, self.i64("mul", self.i64("sub", tiles[1], tiles[0]), str(SPAN)))
        rights = self.assign(f"getelementptr i64, ptr %call, i64 {len(OUTER)}")
        busy = self.assign(f"icmp slt i64 {tiles[0]}, {tiles[1]}")
        with self.when(busy), self.loop(first, last, str(DEPTH)) as n:
            depth = self.least(self.i64("sub", last, n), str(DEPTH))
            self._pack_left(packed_left, tiles, n, depth)
            begins = self.assign(f"icmp eq i64 {n}, {first}")
            with self.loop("0", self.word("count")) as number:
                side = _Side(self, self.element(rights, self.i64("mul", number, str(len(RIGHT))), "i64"), begins)
                panels = self.own_share(side.share, thread)
                with self.when(self.assign(f"icmp eq i64 {side.vectors}, 0")), self.loop(*panels) as panel:
                    add_up(self, side, panel, n, self.i64("add", n, depth))
                for vectors in WIDTHS:
                    with self.when(self.assign(f"icmp eq i64 {side.vectors}, {vectors}")):
                        self._panels(side, vectors, panels, tiles, n, depth, packed_left, packed_right)
        return self.function("void @outer(ptr %call)")

    def _panels(
        self,
        side: "_Side",
        vectors: int,
        panels: tuple[str, str],
        tiles: tuple[str, str],
        n: str,
        depth: str,
        packed_left: str,
        packed_right: str,
    ) -> None:
        """A block of rows with one right side: panel after panel, all tiles of the left."""
        height = self.least(self.word("m"), str(ROWS))
        sums = self.alloca(f"[{vectors * ROWS * self.lanes} x {self.scalar}]", 64)
        rows = self.alloca(f"[{ROWS} x ptr]")
        with self.loop(*panels) as panel:
            self._pack_right(side, vectors, packed_right, panel, n, depth)
            with self.loop(*tiles) as tile:
                local = self.i64("sub", tile, tiles[0])
                start = self.element(packed_left, self.i64("mul", local, str(SPAN)))
                for r in range(ROWS):
                    self.do(f"store ptr {self.element(start, str(r))}, ptr {self.element(rows, str(r), 'ptr')}")
                self._expect(side, vectors, tile, panel)
                arguments = f"ptr {rows}, i64 {depth}, ptr {packed_right}, ptr {sums}, i64 1, i64 {height}"
                self.do(f"call void @tile_{vectors}({arguments})")
                self._add(side, vectors, sums, tile, panel)

    def _pack_left(self, packed: str, tiles: tuple[str, str], n: str, depth: str) -> None:
        """[tile][n][4], zeros beyond the edge; a vector at a time, so it may fill some tiles beyond the share."""
        m, four = self.word("m"), f"<{ROWS} x {self.scalar}>"
        start, table, size = self.word("left", "ptr"), self.word("left_table", "ptr"), self.word("left_size")
        lanes, self.lanes = self.lanes, max(self.lanes, ROWS)
        together = self.lanes // ROWS
        with self.loop("0", depth) as k:
            row = self.row(start, table, size, self.i64("add", n, k))
            with self.loop(*tiles, str(together)) as tile:
                at = self.i64("mul", tile, str(ROWS))
                local = self.i64("sub", tile, tiles[0])
                place = self.i64("add", self.i64("mul", local, str(SPAN)), self.i64("mul", k, str(ROWS)))
                value = self.masked_load(self.element(row, at), self.inside(self.i64("sub", m, at)))
                for i in range(together):
                    taken = ", ".join(f"i32 {i * ROWS + lane}" for lane in range(ROWS))
                    pair = f"{self.type()} {value.name}, {self.type()} poison"
                    part = self.assign(f"shufflevector {pair}, <{ROWS} x i32> <{taken}>")
                    there = self.element(packed, self.i64("add", place, str(i * SPAN)))
                    self.do(f"store {four} {part}, ptr {there}, align 4")
        self.lanes = lanes

    def _expect(self, side: "_Side", vectors: int, tile: str, panel: str) -> None:
        """Ask for the part of C that a tile will be added to."""
        self.declared.add("declare void @llvm.prefetch.p0(ptr, i32, i32, i32)")
        m = self.word("m")
        start = self.i64("mul", tile, str(ROWS))
        for r in range(ROWS):
            row = self.least(self.i64("add", start, str(r)), self.i64("sub", m, "1"))
            first = self.i64("add", self.i64("mul", row, side.c), self.i64("mul", panel, str(vectors * self.lanes)))
            for v in range(vectors):
                address = self.element(side.to, self.i64("add", first, str(v * self.lanes)))
                self.do(f"call void @llvm.prefetch.p0(ptr {address}, i32 1, i32 3, i32 1)")

    def _pack_right(self, side: "_Side", vectors: int, packed: str, panel: str, n: str, depth: str) -> None:
        """[n][V vectors], zeros beyond the edge."""
        start = self.i64("mul", panel, str(vectors * self.lanes))
        with self.loop("0", depth) as k:
            row = self.row(side.start, side.table, side.size, self.i64("add", n, k))
            for v in range(vectors):
                at = self.i64("add", start, str(v * self.lanes))
                value = self.masked_load(self.element(row, at), self.inside(self.i64("sub", side.c, at)))
                place = self.i64("add", self.i64("mul", k, str(vectors * self.lanes)), str(v * self.lanes))
                self.do(f"store {self.type()} {value.name}, ptr {self.element(packed, place)}, align 4")

    def _add(self, side: "_Side", vectors: int, sums: str, tile: str, panel: str) -> None:
        """Put a tile's sums to what is there, or in its place."""
        start = self.i64("mul", tile, str(ROWS))
        height = self.least(self.i64("sub", self.word("m"), start), str(ROWS))
        with self.loop("0", height) as r:
            row = self.element(side.to, self.i64("mul", self.i64("add", start, r), side.c))
            for v in range(vectors):
                at = self.i64("add", self.i64("mul", panel, str(vectors * self.lanes)), str(v * self.lanes))
                place = self.i64("mul", self.i64("add", r, str(v * ROWS)), str(self.lanes))
                value = self.emit(f"load {self.type()}, ptr {self.element(sums, place)}")
                side.add(value, self.element(row, at), self.inside(self.i64("sub", side.c, at)))


class _Side:
    """The right side of a sum, and where it goes.

    Args:
        w: Writes the code.
        words: Where the words of `RIGHT` are.
        begins: Is this the first block of rows?
    """

    def __init__(self, w: Writer, words: str, begins: str) -> None:
        def word(name: str, kind: str = "i64") -> str:
            return w.assign(f"load {kind}, ptr {w.element(words, str(RIGHT.index(name)), 'i64')}")

        self.w = w
        self.to, self.c, self.share, self.vectors = word("to", "ptr"), word("c"), word("share", "ptr"), word("vectors")
        self.start, self.table, self.size = word("right", "ptr"), word("right_table", "ptr"), word("right_size")
        fresh = w.assign(f"icmp ne i64 {word('fresh')}, 0")
        self.begins = w.assign(f"and i1 {begins}, {fresh}")

    def add(self, value: Value, address: str, mask: Value) -> None:
        """Put a sum over a block to what is there, or in its place."""
        kind = self.w.type()
        more = self.w.masked_load(address, mask) + value
        result = self.w.emit(f"select i1 {self.begins}, {kind} {value.name}, {kind} {more.name}")
        self.w.masked_store(result, address, mask)


class Total(SharedFunction):
    """`total`: each thread has a share of the panels of c."""

    words = TOTAL

    def text(self) -> str:
        thread = self.thread(self.word("number", "ptr"))
        first, last = self.word("first"), self.word("last")
        with self.loop(first, last, str(DEPTH)) as n:
            end = self.least(self.i64("add", n, str(DEPTH)), last)
            side = _Side(self, "%call", self.assign(f"icmp eq i64 {n}, {first}"))
            with self.loop(*self.own_share(side.share, thread)) as panel:
                add_up(self, side, panel, n, end)
        return self.function("void @total(ptr %call)")


def add_up(w: SharedFunction, side: "_Side", panel: str, n: str, end: str) -> None:
    """The right vectors of a block of rows, where they stand in a panel of `WIDEST` vectors."""
    kind, align = w.type(), w.lanes * w.dtype.itemsize
    start = w.i64("mul", panel, str(WIDEST * w.lanes))
    places = [w.i64("add", start, str(v * w.lanes)) for v in range(WIDEST)]
    masks = [w.inside(w.i64("sub", side.c, place)) for place in places]
    sums, parts = ([w.alloca(kind, align) for _ in range(WIDEST)] for _ in range(2))

    def add(to: str, more: Value) -> None:
        w.do(f"store {kind} {(Value(w, w.assign(f'load {kind}, ptr {to}')) + more).name}, ptr {to}")

    for each in sums:
        w.do(f"store {kind} zeroinitializer, ptr {each}")
    with w.loop(n, end, str(BRIEF)) as begin:
        for each in parts:
            w.do(f"store {kind} zeroinitializer, ptr {each}")
        with w.loop(begin, w.least(w.i64("add", begin, str(BRIEF)), end)) as one:
            row = w.row(side.start, side.table, side.size, one)
            for part, place, mask in zip(parts, places, masks, strict=True):
                add(part, w.masked_load(w.element(row, place), mask))
        for each, part in zip(sums, parts, strict=True):
            add(each, Value(w, w.assign(f"load {kind}, ptr {part}")))
    for each, place, mask in zip(sums, places, masks, strict=True):
        side.add(Value(w, w.assign(f"load {kind}, ptr {each}")), w.element(side.to, place), mask)
