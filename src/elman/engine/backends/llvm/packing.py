"""Functions that move numbers: entries of rows to other places, weights to where tiles read them.

Key: j an entry of a sum, k what it sums over.
"""

from elman.engine.backends.llvm.shared import SharedFunction

MOVE = ("from", "to", "table", "size", "share", "number")
PACK = ("to", "starts", "steps", "along", "length", "extent", "blocks", "sums", "repeat", "share", "number")


class Move(SharedFunction):
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


class Pack(SharedFunction):
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
