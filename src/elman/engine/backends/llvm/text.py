"""Writes LLVM's language: functions, loops, and values that take part in Python's arithmetic."""

import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

NAMES = {torch.float32: "float", torch.float64: "double"}
LITERALS = (0.0, 1.0, -1.0, 0.5, 2.0)
"""Numbers that stand in the code; all others come with the call, so that one kernel serves them all."""


@dataclass(frozen=True)
class Value:
    """A vector of numbers, of whole numbers or of truth values, in one register."""

    writer: "Writer"
    name: str
    kind: str = "number"

    def _with(self, op: str, other: Any, swap: bool = False) -> "Value":
        other = self.writer.value(other)
        pair = (other, self) if swap else (self, other)
        return self.writer.emit(f"{op} {self.writer.type()} {pair[0].name}, {pair[1].name}")

    def _compared(self, how: str, other: Any) -> "Value":
        other = self.writer.value(other)
        return self.writer.emit(f"fcmp {how} {self.writer.type()} {self.name}, {other.name}", "truth")

    def _joined(self, op: str, other: "Value") -> "Value":
        return self.writer.emit(f"{op} {self.writer.type('truth')} {self.name}, {other.name}", "truth")

    def __add__(self, other: Any) -> "Value":
        return self._with("fadd", other)

    def __radd__(self, other: Any) -> "Value":
        return self._with("fadd", other, swap=True)

    def __sub__(self, other: Any) -> "Value":
        return self._with("fsub", other)

    def __rsub__(self, other: Any) -> "Value":
        return self._with("fsub", other, swap=True)

    def __mul__(self, other: Any) -> "Value":
        return self._with("fmul", other)

    def __rmul__(self, other: Any) -> "Value":
        return self._with("fmul", other, swap=True)

    def __truediv__(self, other: Any) -> "Value":
        return self._with("fdiv", other)

    def __rtruediv__(self, other: Any) -> "Value":
        return self._with("fdiv", other, swap=True)

    def __neg__(self) -> "Value":
        return self.writer.emit(f"fneg {self.writer.type()} {self.name}")

    def __gt__(self, other: Any) -> "Value":
        return self._compared("ogt", other)

    def __ge__(self, other: Any) -> "Value":
        return self._compared("oge", other)

    def __lt__(self, other: Any) -> "Value":
        return self._compared("olt", other)

    def __le__(self, other: Any) -> "Value":
        return self._compared("ole", other)

    def __eq__(self, other: Any) -> "Value":  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._compared("oeq", other)

    def __ne__(self, other: Any) -> "Value":  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._compared("une", other)

    def __and__(self, other: "Value") -> "Value":
        return self._joined("and", other)

    def __or__(self, other: "Value") -> "Value":
        return self._joined("or", other)

    def __xor__(self, other: "Value") -> "Value":
        return self._joined("xor", other)

    def __invert__(self) -> "Value":
        truth = self.writer.type("truth")
        return self.writer.emit(f"xor {truth} {self.name}, splat (i1 true)", "truth")

    __hash__ = None  # pyright: ignore[reportAssignmentType]


class Writer:
    """One function in the making.

    Args:
        dtype: Of its numbers.
        lanes: Numbers in a vector.
    """

    def __init__(self, dtype: torch.dtype, lanes: int) -> None:
        self.dtype, self.lanes = dtype, lanes
        self.lines: list[str] = []
        self.declared: set[str] = set()
        self._count = 0

    # types and constants

    @property
    def scalar(self) -> str:
        """The type of one number."""
        return NAMES[self.dtype]

    @property
    def bits(self) -> int:
        """In one number."""
        return self.dtype.itemsize * 8

    def type(self, kind: str = "number") -> str:
        """The type of a vector."""
        element = {"number": self.scalar, "truth": "i1", "whole": f"i{self.bits}"}[kind]
        return f"<{self.lanes} x {element}>"

    def literal(self, number: float) -> str:
        """A number as LLVM spells it: the bits of a double."""
        if self.dtype == torch.float32:
            number = struct.unpack("f", struct.pack("f", number))[0]
        return f"0x{struct.unpack('Q', struct.pack('d', number))[0]:016X}"

    def value(self, number: Any) -> Value:
        """A number in every lane."""
        if isinstance(number, Value):
            return number
        return Value(self, f"splat ({self.scalar} {self.literal(float(number))})")

    def whole(self, number: int) -> Value:
        """A whole number in every lane."""
        return Value(self, f"splat (i{self.bits} {number})", "whole")

    # lines

    def fresh(self) -> str:
        """A name that is not used yet."""
        self._count += 1
        return f"%v{self._count}"

    def do(self, line: str) -> None:
        """A line without a result."""
        self.lines.append(f"  {line}")

    def assign(self, line: str) -> str:
        """A line with a result; gives its name."""
        name = self.fresh()
        self.lines.append(f"  {name} = {line}")
        return name

    def emit(self, line: str, kind: str = "number") -> Value:
        """A line whose result is a vector."""
        return Value(self, self.assign(line), kind)

    def intrinsic(self, name: str, *arguments: Value, kind: str = "number") -> Value:
        """One of LLVM's own functions on vectors of numbers."""
        full = f"@llvm.{name}.v{self.lanes}f{self.bits}"
        types = ", ".join(self.type(each.kind) for each in arguments)
        self.declared.add(f"declare {self.type(kind)} {full}({types})")
        inputs = ", ".join(f"{self.type(each.kind)} {each.name}" for each in arguments)
        return self.emit(f"call {self.type(kind)} {full}({inputs})", kind)

    def splat(self, scalar: str) -> Value:
        """One number in every lane."""
        first = self.assign(f"insertelement {self.type()} poison, {self.scalar} {scalar}, i64 0")
        zeros = f"<{self.lanes} x i32> zeroinitializer"
        return self.emit(f"shufflevector {self.type()} {first}, {self.type()} poison, {zeros}")

    # control

    def label(self) -> str:
        """A name for a place in the code."""
        self._count += 1
        return f"l{self._count}"

    def place(self, label: str) -> None:
        """Here is the place."""
        self.lines.append(f"{label}:")

    @contextmanager
    def loop(self, start: str, end: str, step: str = "1") -> Iterator[str]:
        """Repeat what is written inside while the counter, an i64, is less than `end`."""
        head, body, done = self.label(), self.label(), self.label()
        counter = self.alloca("i64")
        self.do(f"store i64 {start}, ptr {counter}")
        self.do(f"br label %{head}")
        self.place(head)
        now = self.assign(f"load i64, ptr {counter}")
        more = self.assign(f"icmp slt i64 {now}, {end}")
        self.do(f"br i1 {more}, label %{body}, label %{done}")
        self.place(body)
        yield now
        after = self.assign(f"add nsw i64 {now}, {step}")
        self.do(f"store i64 {after}, ptr {counter}")
        self.do(f"br label %{head}, !llvm.loop !0")
        self.place(done)

    @contextmanager
    def when(self, condition: str) -> Iterator[None]:
        """Do what is written inside if an i1 is true."""
        inside, after = self.label(), self.label()
        self.do(f"br i1 {condition}, label %{inside}, label %{after}")
        self.place(inside)
        yield
        self.do(f"br label %{after}")
        self.place(after)

    def alloca(self, kind: str, align: int = 8) -> str:
        """Memory that lives as long as the function runs; goes to its head."""
        name = self.fresh()
        self.heads.append(f"  {name} = alloca {kind}, align {align}")
        return name

    @property
    def heads(self) -> list[str]:
        """Lines that stand before all others."""
        if not hasattr(self, "_heads"):
            self._heads: list[str] = []
        return self._heads

    def function(self, signature: str, attributes: str = "") -> str:
        """The whole function."""
        body = "\n".join([*self.heads, *self.lines])
        return f"define {signature} nounwind {attributes} {{\nentry:\n{body}\n  ret void\n}}\n"

    # whole numbers: i64

    def i64(self, op: str, a: str, b: str) -> str:
        """Arithmetic on two whole numbers."""
        return self.assign(f"{op} i64 {a}, {b}")

    def least(self, a: str, b: str) -> str:
        """The smaller of two."""
        less = self.assign(f"icmp slt i64 {a}, {b}")
        return self.assign(f"select i1 {less}, i64 {a}, i64 {b}")

    def element(self, pointer: str, index: str, kind: str | None = None) -> str:
        """The address of an entry of an array."""
        return self.assign(f"getelementptr {kind or self.scalar}, ptr {pointer}, i64 {index}")

    # rows and threads

    def inside(self, left: str) -> Value:
        """Lanes below a number."""
        narrow = self.assign(f"trunc i64 {left} to i32")
        wide = f"<{self.lanes} x i32>"
        first = self.assign(f"insertelement {wide} poison, i32 {narrow}, i64 0")
        spread = self.assign(f"shufflevector {wide} {first}, {wide} poison, <{self.lanes} x i32> zeroinitializer")
        lanes = ", ".join(f"i32 {i}" for i in range(self.lanes))
        return self.emit(f"icmp slt {wide} <{lanes}>, {spread}", "truth")

    def masked_load(self, address: str, mask: Value) -> Value:
        """A vector, zero where the mask is false; nothing is read there."""
        kind, truth = self.type(), self.type("truth")
        full = f"@llvm.masked.load.v{self.lanes}f{self.bits}.p0"
        self.declared.add(f"declare {kind} {full}(ptr, i32, {truth}, {kind})")
        arguments = f"ptr {address}, i32 {self.dtype.itemsize}, {truth} {mask.name}, {kind} zeroinitializer"
        return self.emit(f"call {kind} {full}({arguments})")

    def masked_store(self, value: Value, address: str, mask: Value) -> None:
        """Store a vector where the mask is true."""
        kind, truth = self.type(), self.type("truth")
        full = f"@llvm.masked.store.v{self.lanes}f{self.bits}.p0"
        self.declared.add(f"declare void {full}({kind}, ptr, i32, {truth})")
        arguments = f"{kind} {value.name}, ptr {address}, i32 {self.dtype.itemsize}, {truth} {mask.name}"
        self.do(f"call void {full}({arguments})")

    def masked_gather(self, pointers: str, mask: Value) -> Value:
        """Numbers from an address for each lane, zero where the mask is false."""
        kind, truth, wide = self.type(), self.type("truth"), f"<{self.lanes} x ptr>"
        full = f"@llvm.masked.gather.v{self.lanes}f{self.bits}.v{self.lanes}p0"
        self.declared.add(f"declare {kind} {full}({wide}, i32, {truth}, {kind})")
        arguments = f"{wide} {pointers}, i32 {self.dtype.itemsize}, {truth} {mask.name}, {kind} zeroinitializer"
        return self.emit(f"call {kind} {full}({arguments})")

    def thread(self, number: str) -> str:
        """The number of the thread that runs this, from the function that tells it."""
        return self.assign(f"zext i32 {self.assign(f'call i32 {number}()')} to i64")

    def own_share(self, table: str, thread: str) -> tuple[str, str]:
        """First and last of what a thread does: a pair for each thread."""
        pair = self.element(table, self.i64("mul", thread, "2"), "i64")
        low = self.assign(f"load i64, ptr {pair}")
        return low, self.assign(f"load i64, ptr {self.element(pair, '1', 'i64')}")


def joined(functions: Iterable[str], declared: Iterable[str] = ()) -> str:
    """Functions as one text, with what they call and what their loops refer to."""
    ends = '!0 = distinct !{!0, !1}\n!1 = !{!"llvm.loop.unroll.disable"}'
    return "\n".join([*sorted(declared), *functions, ends])
