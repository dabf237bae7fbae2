"""A phase of a plan as LLVM text: its stages, and the loop over time around them.

All sizes, strides and numbers of a cell come with the call, so the text is the same for every size of a cell, and one
kernel serves them all. What a call brings stands in one array of 8-byte words (`Layout`).

Key: n a row at a step, in the engine's own order; s a step; q a block of entries.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch

from elman.engine.affine import Affine
from elman.engine.backends.llvm.maths import Maths
from elman.engine.backends.llvm.target import Target
from elman.engine.backends.llvm.text import LITERALS, Value, Writer, joined
from elman.engine.backends.llvm.tiles import ROWS, Run, Tiling, tile_function, tiling
from elman.engine.nest import Buffer, Instruction, Nest
from elman.engine.operations import OPERATIONS
from elman.engine.plan import Phase, Stage

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


@dataclass(frozen=True)
class KernelText:
    """A phase in LLVM's language, and what a call must bring."""

    text: str
    layout: Layout
    after: bool
    """Are there stages after the loop over time?"""


def kernel_text(phase: Phase, dtype: torch.dtype, target: Target) -> KernelText:
    """Write a phase down."""
    layout = Layout()
    for stage in phase.stages:
        for buffer in stage.buffers:
            if buffer not in layout.buffers:
                layout.buffers.append(buffer)
    plans = [[tiling(nest, target.sums) if nest.slots else None for nest in stage.nests] for stage in phase.stages]
    for stage, tilings in zip(phase.stages, plans, strict=True):
        for nest, plan in zip(stage.nests, tilings, strict=True):
            if plan is not None:
                layout.panels.extend((nest, plan, run) for run in plan.runs)
                if plan.early and not stage.after:
                    layout.hoists.append((nest, plan))
    functions: list[str] = []
    declared: set[str] = set()
    lanes = target.lanes(dtype)
    for vectors in sorted({plan.vectors(run) for _, plan, run in layout.panels}):
        text, more = tile_function(dtype, lanes, vectors)
        functions.append(text)
        declared |= more
    for number, (stage, tilings) in enumerate(zip(phase.stages, plans, strict=True)):
        writer = StageWriter(dtype, lanes, layout)
        functions.append(writer.stage(number, stage, tilings))
        declared |= writer.declared
    functions.append(_loop([i for i, stage in enumerate(phase.stages) if not stage.after]))
    after = [i for i, stage in enumerate(phase.stages) if stage.after]
    functions.append(_outside("after", after, AT_ONCE))
    held = [nest for nest, _ in layout.hoists]
    functions.append(_outside("ahead", [i for i, stage in enumerate(phase.stages) if stage.nests[0] in held], AHEAD))
    return KernelText(joined(functions, declared), layout, bool(after))


class StageWriter(Writer):
    """Writes one stage: a function of the rows, from n0 up to n1, and of the part of its blocks that is to be done."""

    def __init__(self, dtype: torch.dtype, lanes: int, layout: Layout) -> None:
        super().__init__(dtype, lanes)
        self.layout = layout
        self.maths = Maths(self)
        self._words: dict[int, str] = {}
        self._rows: dict[tuple[Buffer, str], str] = {}

    # what the call brings

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

    # where rows are

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

    # bodies

    def body(
        self,
        nest: Nest,
        n: str,
        counters: Sequence[str],
        mask: Value,
        sums: Callable[[int], Value] | None = None,
        totals: dict[int, str] | None = None,
    ) -> None:
        """What happens at one vector of entries."""
        values: list[Value | None] = []
        lane = len(nest.extents) - 1
        for number, line in enumerate(nest.body):
            inputs = [values[each] for each in line.inputs]
            values.append(self._line(number, line, inputs, n, counters, lane, mask, sums, totals))  # pyright: ignore

    def _line(
        self,
        number: int,
        line: Instruction,
        inputs: list[Value],
        n: str,
        counters: Sequence[str],
        lane: int,
        mask: Value,
        sums: Callable[[int], Value] | None,
        totals: dict[int, str] | None,
    ) -> Value | None:
        if line.kind == "constant":
            if line.boolean:
                return Value(self, f"splat (i1 {'true' if line.value else 'false'})", "truth")
            return self.constant(line.value)
        if line.kind == "sum of products":
            assert sums is not None
            return sums(line.slot)
        if line.kind == "operation":
            return OPERATIONS[line.name].spell(self.maths, *inputs)
        assert line.buffer is not None
        if line.kind == "load":
            loaded = self.load(line.buffer, n, line.place, counters, lane, mask)
            return loaded != 0 if line.boolean else loaded
        value = self.maths.number(inputs[0])
        if line.kind == "store":
            self.store(value, line.buffer, n, line.place, counters, lane, mask)
        elif line.kind == "add":
            held = self.load(line.buffer, n, line.place, counters, lane, mask)
            self.store(held + value, line.buffer, n, line.place, counters, lane, mask)
        else:
            assert totals is not None
            self._gather_up(line, value, totals[number], mask)
            if line.kind == "running":
                held = Value(self, self.assign(f"load {self.type()}, ptr {totals[number]}"))
                self.store(held, line.buffer, n, line.place, counters, lane, mask)
        return None

    def _gather_up(self, line: Instruction, value: Value, total: str, mask: Value) -> None:
        kind = line.name or "sum"
        value = self.maths.where(mask, value, NEUTRAL[kind])
        held = Value(self, self.assign(f"load {self.type()}, ptr {total}"))
        self.do(f"store {self.type()} {self.joined(kind, held, value).name}, ptr {total}")

    def joined(self, kind: str, a: Value, b: Value) -> Value:
        """Two totals as one."""
        if kind == "sum":
            return a + b
        return self.maths.maximum(a, b) if kind == "amax" else self.maths.minimum(a, b)

    def load(self, buffer: Buffer, n: str, place: Affine, counters: Sequence[str], lane: int, mask: Value) -> Value:
        """A vector of a row's entry."""
        base, step = self.row(buffer, n), place.step(lane)
        address = self.element(base, self.at(place, counters))
        if step == 0:
            return self.splat(self.assign(f"load {self.scalar}, ptr {address}"))
        if step == 1:
            return self.masked_load(address, mask)
        return self.masked_gather(self._spread(address, step), mask)

    def store(
        self, value: Value, buffer: Buffer, n: str, place: Affine, counters: Sequence[str], lane: int, mask: Value
    ) -> None:
        """Put a vector into a row's entry."""
        base, step = self.row(buffer, n), place.step(lane)
        address = self.element(base, self.at(place, counters))
        if step in (0, 1):  # without a step there is one entry only
            return self.masked_store(value, address, mask)
        kind, truth, name = self.type(), self.type("truth"), f"v{self.lanes}f{self.bits}"
        pointers = f"<{self.lanes} x ptr>"
        full = f"@llvm.masked.scatter.{name}.v{self.lanes}p0"
        self.declared.add(f"declare void {full}({kind}, {pointers}, i32, {truth})")
        spread = self._spread(address, step)
        arguments = f"{kind} {value.name}, {pointers} {spread}, i32 {self.dtype.itemsize}, {truth} {mask.name}"
        return self.do(f"call void {full}({arguments})")

    def _spread(self, address: str, step: int) -> str:
        """Addresses that stand a step apart."""
        lanes = ", ".join(f"i64 {i}" for i in range(self.lanes))
        wide = f"<{self.lanes} x i64>"
        first = self.assign(f"insertelement {wide} poison, i64 {self.size(step)}, i64 0")
        zeros = f"<{self.lanes} x i32> zeroinitializer"
        steps = self.assign(f"shufflevector {wide} {first}, {wide} poison, {zeros}")
        offsets = self.assign(f"mul {wide} {steps}, <{lanes}>")
        return self.assign(f"getelementptr {self.scalar}, ptr {address}, {wide} {offsets}")

    def mask(self, start: str, extent: int) -> Value:
        """Which lanes are inside the extent."""
        return self.inside(self.i64("sub", self.size(extent), start))

    # stages

    def stage(self, number: int, stage: Stage, tilings: Sequence[Tiling | None]) -> str:
        """The function of a stage."""
        if tilings[0] is not None:
            self._products(stage.nests[0], tilings[0])
        else:
            self._of_each_row(stage.nests)
        signature = f"internal void @stage_{number}(ptr %call, i64 %n0, i64 %n1, i64 %part, i64 %mode, i64 %turn)"
        return self.function(signature, "noinline")

    def _of_each_row(self, nests: Sequence[Nest]) -> None:
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

    def _products(self, nest: Nest, plan: Tiling) -> None:
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


AT_ONCE, AHEAD, READY = range(3)
"""Modes of a stage: take all products; take early ones only and put them aside; find them there."""
NEUTRAL = {"sum": 0.0, "amax": float("-inf"), "amin": float("inf")}


def _loop(stages: list[int]) -> str:
    """The loop over time that each thread runs for its rows, or for its part of the blocks."""
    w = Writer(torch.float32, 1)
    words = {name: w.assign(f"getelementptr i64, ptr %call, i64 {i}") for i, name in enumerate(HEADER)}

    def word(name: str, kind: str = "i64") -> str:
        return w.assign(f"load {kind}, ptr {words[name]}")

    thread = w.thread(word("number", "ptr"))
    parts, share = word("parts"), word("share", "ptr")
    split = w.assign(f"icmp sgt i64 {parts}, 1")
    mine = w.assign(f"select i1 {split}, i64 0, i64 {thread}")
    part = w.assign(f"select i1 {split}, i64 {thread}, i64 0")
    low, high = w.own_share(share, mine)
    first, last, onward, mode = word("first"), word("last"), word("onward"), word("mode")
    offsets, counts = word("offsets", "ptr"), word("counts", "ptr")
    wait, team = word("wait", "ptr"), word("team", "ptr")
    forward = w.assign(f"icmp sgt i64 {onward}, 0")
    with w.loop(first, last) as counted:
        back = w.i64("sub", w.i64("sub", w.i64("add", first, last), "1"), counted)
        s = w.assign(f"select i1 {forward}, i64 {counted}, i64 {back}")
        offset = w.assign(f"load i64, ptr {w.element(offsets, s, 'i64')}")
        count = w.assign(f"load i64, ptr {w.element(counts, s, 'i64')}")
        n0 = w.i64("add", offset, low)
        n1 = w.i64("add", offset, w.least(high, count))
        with w.when(w.assign(f"icmp slt i64 {n0}, {n1}")):
            turn = w.i64("and", s, "1")
            for stage in stages:
                w.do(f"call void @stage_{stage}(ptr %call, i64 {n0}, i64 {n1}, i64 {part}, i64 {mode}, i64 {turn})")
                with w.when(split):
                    w.do(f"call void {wait}(ptr {team})")
    return w.function("void @loop(ptr %call)")


def _outside(name: str, stages: list[int], mode: int) -> str:
    """What each thread does before or after the loop, for its share of all rows at some steps."""
    w = Writer(torch.float32, 1)

    def word(name: str) -> str:
        return w.assign(f"load ptr, ptr {w.element('%call', str(HEADER.index(name)), 'i64')}")

    thread = w.thread(word("number"))
    low, high = w.own_share(word("share"), thread)
    for stage in stages:
        w.do(f"call void @stage_{stage}(ptr %call, i64 {low}, i64 {high}, i64 0, i64 {mode}, i64 0)")
    return w.function(f"void @{name}(ptr %call)")
