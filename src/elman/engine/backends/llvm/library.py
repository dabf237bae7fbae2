"""What every cell's kernels share: packing weights, and sums of outer products over rows.

`pack` lays a weight out as the tiles read it: [block][k][sum][lane], zeros beyond the edge. `outer` adds to C (M, N)
the outer products of two vectors of each row, or starts it with them: the gradients of weights. Rows go in blocks of
`DEPTH`, each block's sum started at zero, so that threads do not change a bit. What a call brings stands in an array of
8-byte words.

Key: n a row at a step, m and c entries of the two vectors.
"""

from functools import lru_cache

import torch

from elman.engine.backends.llvm.cache import addresses
from elman.engine.backends.llvm.target import Target, host
from elman.engine.backends.llvm.text import Writer, joined
from elman.engine.backends.llvm.tiles import ROWS, tile_function

DEPTH = 512
"""Rows in a block of `outer`."""
SPAN = ROWS * DEPTH + 16
"""From one packed tile to the next; not a power of two, for such distances share few places in the cache."""
WIDEST = 4
"""Vectors in a panel of `outer`."""

MOVE = ("from", "to", "table", "size", "share", "number")
PACK = ("to", "starts", "steps", "along", "length", "extent", "blocks", "sums", "repeat", "share", "number")
OUTER = (
    "to", "m", "c", "left", "left_table", "left_size", "right", "right_table", "right_size", "first", "last",
    "share_m", "share_c", "scratch", "scratch_size", "fresh", "number",
)  # fmt: skip


@lru_cache(maxsize=2)
def library(dtype: torch.dtype) -> dict[str, int]:
    """Addresses of all shared functions."""
    names = ("pack", "move", *(f"outer_{vectors}" for vectors in (1, 2, WIDEST)))
    return addresses(library_text(dtype, host()), names)


def library_text(dtype: torch.dtype, target: Target) -> str:
    """All shared functions for one dtype."""
    lanes = target.lanes(dtype)
    functions, declared = [], set()
    for vectors in (1, 2, WIDEST):
        text, more = tile_function(dtype, lanes, vectors, stride=ROWS)
        functions.append(text)
        declared |= more
    for writer in (
        _Move(dtype, lanes),
        _Pack(dtype, lanes),
        *(_Outer(dtype, lanes, vectors) for vectors in (1, 2, WIDEST)),
    ):
        functions.append(writer.text())
        declared |= writer.declared
    return joined(functions, declared)


class _Shared(Writer):
    """A function of a call's words."""

    words: tuple[str, ...]

    def word(self, name: str, kind: str = "i64") -> str:
        address = self.assign(f"getelementptr i64, ptr %call, i64 {self.words.index(name)}")
        return self.assign(f"load {kind}, ptr {address}")


class _Move(_Shared):
    """`move`: entries go from one place to another, each thread has a share of them. Where there is no first place, the
    other one becomes zero; a table may tell which entry goes where it is its turn."""

    words = MOVE

    def text(self) -> str:
        self.declared |= {
            "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)",
            "declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)",
        }
        to, source, size = self.word("to", "ptr"), self.word("from", "ptr"), self.word("size")
        table = self.word("table", "ptr")
        low, high = self.own_share(self.word("share", "ptr"), self.thread(self.word("number", "ptr")))
        nothing, straight = (self.assign(f"icmp eq ptr {each}, null") for each in (source, table))
        bytes_ = self.i64("mul", size, self.i64("sub", high, low))
        first = self.element(to, self.i64("mul", low, size), "i8")
        with self.when(nothing):
            self.do(f"call void @llvm.memset.p0.i64(ptr {first}, i8 0, i64 {bytes_}, i1 false)")
        some = self.assign(f"xor i1 {nothing}, true")
        with self.when(self.assign(f"and i1 {some}, {straight}")):
            there = self.element(source, self.i64("mul", low, size), "i8")
            self.do(f"call void @llvm.memcpy.p0.p0.i64(ptr {first}, ptr {there}, i64 {bytes_}, i1 false)")
        looked_up = self.assign(f"xor i1 {straight}, true")
        with self.when(self.assign(f"and i1 {some}, {looked_up}")), self.loop(low, high) as number:
            entry = self.assign(f"load i64, ptr {self.element(table, number, 'i64')}")
            there = self.element(source, self.i64("mul", entry, size), "i8")
            here = self.element(to, self.i64("mul", number, size), "i8")
            self.do(f"call void @llvm.memcpy.p0.p0.i64(ptr {here}, ptr {there}, i64 {size}, i1 false)")
        return self.function("void @move(ptr %call)")


class _Pack(_Shared):
    """`pack`: each thread has a share of the blocks."""

    words = PACK

    def text(self) -> str:
        to, starts, steps = self.word("to", "ptr"), self.word("starts", "ptr"), self.word("steps", "ptr")
        alongs, length, extent = self.word("along", "ptr"), self.word("length"), self.word("extent")
        blocks, sums, repeat = self.word("blocks"), self.word("sums"), self.word("repeat")
        first, last = self.own_share(self.word("share", "ptr"), self.thread(self.word("number", "ptr")))
        vectors = self.i64("mul", sums, repeat)
        size = self.i64("mul", self.i64("mul", length, vectors), str(self.lanes))
        with self.loop(first, last) as q, self.loop("0", sums) as a, self.loop("0", repeat) as u:
            outer = self.i64("sdiv", q, blocks)
            block = self.i64("add", self.i64("mul", self.i64("srem", q, blocks), repeat), u)
            j = self.i64("mul", block, str(self.lanes))
            at = self.element(starts, self.i64("add", self.i64("mul", outer, sums), a), "ptr")
            start = self.assign(f"load ptr, ptr {at}")
            step = self.assign(f"load i64, ptr {self.element(steps, a, 'i64')}")
            along = self.assign(f"load i64, ptr {self.element(alongs, a, 'i64')}")
            source = self.element(start, self.i64("mul", j, step))
            vector = self.i64("add", self.i64("mul", a, repeat), u)
            place = self.i64("add", self.i64("mul", q, size), self.i64("mul", vector, str(self.lanes)))
            target = self.element(to, place)
            self._columns(source, target, step, along, length, vectors, self.i64("sub", extent, j))
        return self.function("void @pack(ptr %call)")

    def _columns(self, source: str, target: str, step: str, along: str, length: str, vectors: str, left: str) -> None:
        """One vector of entries for all k."""
        mask = self.inside(left)
        stride = self.i64("mul", vectors, str(self.lanes))
        plain, other, done = self.label(), self.label(), self.label()
        self.do(f"br i1 {self.assign(f'icmp eq i64 {step}, 1')}, label %{plain}, label %{other}")
        self.place(plain)
        with self.loop("0", length) as k:
            value = self.masked_load(self.element(source, self.i64("mul", k, along)), mask)
            self.do(
                f"store {self.type()} {value.name}, ptr {self.element(target, self.i64('mul', k, stride))}, align 4"
            )
        self.do(f"br label %{done}")
        self.place(other)
        even = self.i64("and", length, str(-self.lanes))
        rows = self.assign(f"icmp eq i64 {along}, 1")
        whole = self.assign(f"select i1 {rows}, i64 {even}, i64 0")
        with self.loop("0", whole, str(self.lanes)) as k:
            self._turned(self.element(source, k), self.element(target, self.i64("mul", k, stride)), step, stride, left)
        wide = f"<{self.lanes} x i64>"
        head = self.assign(f"insertelement {wide} poison, i64 {step}, i64 0")
        spread = self.assign(f"shufflevector {wide} {head}, {wide} poison, <{self.lanes} x i32> zeroinitializer")
        lanes = ", ".join(f"i64 {i}" for i in range(self.lanes))
        offsets = self.assign(f"mul {wide} {spread}, <{lanes}>")
        with self.loop(whole, length) as k:
            at = self.element(source, self.i64("mul", k, along))
            value = self.masked_gather(self.assign(f"getelementptr {self.scalar}, ptr {at}, {wide} {offsets}"), mask)
            self.do(
                f"store {self.type()} {value.name}, ptr {self.element(target, self.i64('mul', k, stride))}, align 4"
            )
        self.do(f"br label %{done}")
        self.place(done)

    def _turned(self, source: str, target: str, step: str, stride: str, left: str) -> None:
        """A square of rows becomes one of columns: rows beyond the edge are zero."""
        kind, truth = self.type(), self.type("truth")
        rows = []
        for lane in range(self.lanes):
            inside = self.assign(f"icmp sgt i64 {left}, {lane}")
            first = self.assign(f"insertelement {truth} poison, i1 {inside}, i64 0")
            zeros = f"<{self.lanes} x i32> zeroinitializer"
            mask = self.emit(f"shufflevector {truth} {first}, {truth} poison, {zeros}", "truth")
            rows.append(self.masked_load(self.element(source, self.i64("mul", step, str(lane))), mask).name)
        width = 1
        while width < self.lanes:
            turned = list(rows)
            for i in range(self.lanes):
                if i & width:
                    continue
                j = i + width
                low = [lane if not lane & width else lane - width + self.lanes for lane in range(self.lanes)]
                high = [lane + width if not lane & width else lane + self.lanes for lane in range(self.lanes)]
                for place, lanes in ((i, low), (j, high)):
                    listed = ", ".join(f"i32 {lane}" for lane in lanes)
                    pair = f"{kind} {rows[i]}, {kind} {rows[j]}"
                    turned[place] = self.assign(f"shufflevector {pair}, <{self.lanes} x i32> <{listed}>")
            rows = turned
            width *= 2
        for lane, row in enumerate(rows):
            self.do(f"store {kind} {row}, ptr {self.element(target, self.i64('mul', stride, str(lane)))}, align 4")


class _Outer(_Shared):
    """`outer_V`: panels of V vectors; each thread has a share of the tiles of m or of the panels of c."""

    words = OUTER

    def __init__(self, dtype: torch.dtype, lanes: int, vectors: int) -> None:
        super().__init__(dtype, lanes)
        self.vectors = vectors

    def text(self) -> str:
        thread = self.thread(self.word("number", "ptr"))
        first, last = self.word("first"), self.word("last")
        tiles = self.own_share(self.word("share_m", "ptr"), thread)
        panels = self.own_share(self.word("share_c", "ptr"), thread)
        mine = self.i64("mul", thread, self.word("scratch_size"))
        height = self.least(self.word("m"), str(ROWS))
        packed_left = self.element(self.word("scratch", "ptr"), mine)
        packed_right = self.element(packed_left, self.i64("mul", self.i64("sub", tiles[1], tiles[0]), str(SPAN)))
        sums = self.alloca(f"[{self.vectors * ROWS * self.lanes} x {self.scalar}]", 64)
        rows = self.alloca(f"[{ROWS} x ptr]")
        fresh = self.assign(f"icmp ne i64 {self.word('fresh')}, 0")
        busy = self.assign(f"icmp slt i64 {tiles[0]}, {tiles[1]}")
        with self.when(busy), self.loop(first, last, str(DEPTH)) as n:
            depth = self.least(self.i64("sub", last, n), str(DEPTH))
            self._pack_left(packed_left, tiles, n, depth)
            begins = self.assign(f"icmp eq i64 {n}, {first}")
            begins = self.assign(f"and i1 {begins}, {fresh}")
            with self.loop(*panels) as panel:
                self._pack_right(packed_right, panel, n, depth)
                with self.loop(*tiles) as tile:
                    local = self.i64("sub", tile, tiles[0])
                    start = self.element(packed_left, self.i64("mul", local, str(SPAN)))
                    for r in range(ROWS):
                        self.do(f"store ptr {self.element(start, str(r))}, ptr {self.element(rows, str(r), 'ptr')}")
                    self._expect(tile, panel)
                    arguments = f"ptr {rows}, i64 {depth}, ptr {packed_right}, ptr {sums}, i64 1, i64 {height}"
                    self.do(f"call void @tile_{self.vectors}({arguments})")
                    self._add(sums, tile, panel, begins)
        return self.function(f"void @outer_{self.vectors}(ptr %call)")

    def _row(self, side: str, n: str) -> str:
        """The vector of a row: through a table, where there is one."""
        table = self.word(f"{side}_table", "ptr")
        none = self.assign(f"icmp eq ptr {table}, null")
        index = self.alloca("i64")
        self.do(f"store i64 {n}, ptr {index}")
        with self.when(self.assign(f"xor i1 {none}, true")):
            found = self.assign(f"load i64, ptr {self.element(table, n, 'i64')}")
            self.do(f"store i64 {found}, ptr {index}")
        at = self.i64("mul", self.assign(f"load i64, ptr {index}"), self.word(f"{side}_size"))
        return self.element(self.word(side, "ptr"), at)

    def _pack_left(self, packed: str, tiles: tuple[str, str], n: str, depth: str) -> None:
        """[tile][n][4], zeros beyond the edge; a vector at a time, so it may fill some tiles beyond the share."""
        m, four = self.word("m"), f"<{ROWS} x {self.scalar}>"
        lanes, self.lanes = self.lanes, max(self.lanes, ROWS)
        together = self.lanes // ROWS
        with self.loop("0", depth) as k:
            row = self._row("left", self.i64("add", n, k))
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

    def _expect(self, tile: str, panel: str) -> None:
        """Ask for the part of C that a tile will be added to."""
        self.declared.add("declare void @llvm.prefetch.p0(ptr, i32, i32, i32)")
        m, c, to = self.word("m"), self.word("c"), self.word("to", "ptr")
        start = self.i64("mul", tile, str(ROWS))
        for r in range(ROWS):
            row = self.least(self.i64("add", start, str(r)), self.i64("sub", m, "1"))
            first = self.i64("add", self.i64("mul", row, c), self.i64("mul", panel, str(self.vectors * self.lanes)))
            for v in range(self.vectors):
                address = self.element(to, self.i64("add", first, str(v * self.lanes)))
                self.do(f"call void @llvm.prefetch.p0(ptr {address}, i32 1, i32 3, i32 1)")

    def _pack_right(self, packed: str, panel: str, n: str, depth: str) -> None:
        """[n][V vectors], zeros beyond the edge."""
        c = self.word("c")
        start = self.i64("mul", panel, str(self.vectors * self.lanes))
        with self.loop("0", depth) as k:
            row = self._row("right", self.i64("add", n, k))
            for v in range(self.vectors):
                at = self.i64("add", start, str(v * self.lanes))
                value = self.masked_load(self.element(row, at), self.inside(self.i64("sub", c, at)))
                place = self.i64("add", self.i64("mul", k, str(self.vectors * self.lanes)), str(v * self.lanes))
                self.do(f"store {self.type()} {value.name}, ptr {self.element(packed, place)}, align 4")

    def _add(self, sums: str, tile: str, panel: str, begins: str) -> None:
        """Put a tile's sums to what is there, or in its place."""
        m, c, to = self.word("m"), self.word("c"), self.word("to", "ptr")
        start = self.i64("mul", tile, str(ROWS))
        height = self.least(self.i64("sub", m, start), str(ROWS))
        with self.loop("0", height) as r:
            row = self.element(to, self.i64("mul", self.i64("add", start, r), c))
            for v in range(self.vectors):
                at = self.i64("add", self.i64("mul", panel, str(self.vectors * self.lanes)), str(v * self.lanes))
                mask = self.inside(self.i64("sub", c, at))
                place = self.i64("mul", self.i64("add", r, str(v * ROWS)), str(self.lanes))
                value = self.emit(f"load {self.type()}, ptr {self.element(sums, place)}")
                address = self.element(row, at)
                more = self.masked_load(address, mask) + value
                kind = self.type()
                result = self.emit(f"select i1 {begins}, {kind} {value.name}, {kind} {more.name}")
                self.masked_store(result, address, mask)
