"""The body of a loop: what is loaded, computed and stored at one vector of entries.

Key: n a row at a step.
"""

from collections.abc import Callable, Sequence

from elman.engine.affine import Affine
from elman.engine.backends.llvm.layout import CallWriter
from elman.engine.backends.llvm.text import Value
from elman.engine.nest import Buffer, Instruction, Nest
from elman.engine.operations import OPERATIONS

NEUTRAL = {"sum": 0.0, "amax": float("-inf"), "amin": float("inf")}
"""What a total starts with, by the kind of reduction."""


class BodyWriter(CallWriter):
    """Writes what happens inside a nest of loops."""

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
