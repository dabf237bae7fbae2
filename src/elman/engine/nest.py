"""Loops over the entries of a row, and what happens in them: from a graph's values to loads, operations and stores.

A value is computed where it is asked for, index by index: views only move the index, elementwise operations are
repeated for it, and what a buffer holds is loaded. So everything between two buffers is one loop.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from elman.engine.affine import Affine, counter, flattened, unflattened
from elman.engine.graph import Node
from elman.engine.operations import OPERATIONS

Index = tuple[Affine, ...]
ORIGIN = Affine()


@dataclass(frozen=True)
class Buffer:
    """Memory with one entry a row, or one for all rows.

    Args:
        role: What it holds: a leaf of the graph (`x`, `state`, `weight`, ...), `output`, `after` (a state after the
            step), `saved` (for the way back), `gradient of x` (or of a state or a context), or a `value` that several
            loops share.
        number: Which one of its role.
        rows: How a row finds its entry: `time` (where the caller's tensors have the row's step), `step` (where the
            engine's own have it), `before` and `after` (states), `carried` and `carries` (gradients of states, in and
            out), `position` (the row's place in the batch), `scratch` (the same, written anew at each step), `shared`
            (one entry for all).
        size: Numbers in an entry.
        what: The operation that makes it, for people.
    """

    role: str
    number: int
    rows: str
    size: int
    what: str = ""

    @property
    def name(self) -> str:
        """For people."""
        number = "" if self.role in ("x", "output", "output gradient", "gradient of x") else f" {self.number}"
        return f"{self.role}{number}" + (f": {self.what}" if self.what else "")


@dataclass(frozen=True)
class Instruction:
    """One line of a loop's body.

    Args:
        kind: `constant`, `load`, `sum of products`, `operation`, `store`, `add` (to what is stored), `reduce`.
        inputs: Lines whose results it takes.
        name: Of the operation or the reduction.
        value: Of the constant.
        buffer: That is loaded from or stored to.
        place: Where in the buffer.
        boolean: Gives truth values.
        slot: Which sum of products.
    """

    kind: str
    inputs: tuple[int, ...] = ()
    name: str = ""
    value: float = 0.0
    buffer: Buffer | None = None
    place: Affine = ORIGIN
    boolean: bool = False
    slot: int = 0


@dataclass(frozen=True)
class WeightAccess:
    """Which entries of a weight a product takes: an index by the loop's counters and by `LENGTH`, that of the sum."""

    weight: Node
    index: Index


@dataclass(frozen=True)
class Operand:
    """A vector of a row that takes part in a product."""

    buffer: Buffer
    place: Affine
    length: int


@dataclass(frozen=True)
class Slot:
    """A sum of products, one for each entry of the loop's last counter."""

    terms: tuple[tuple[Operand, WeightAccess], ...]


@dataclass(frozen=True)
class Nest:
    """Loops over the entries of a row, and what happens in them.

    Args:
        kind: `each` entry for itself; `across`, reduced over the loops from `outer` on, the last one in vectors;
            `along`, reduced over the loops from `outer` on but the last; `running` totals along the last loop.
        extents: Of the loops, outermost first; the last one goes in vectors.
        body: What happens inside.
        slots: The sums of products that the body uses.
        outer: How many loops stand around a reduction.
    """

    kind: str
    extents: tuple[int, ...]
    body: tuple[Instruction, ...]
    slots: tuple[Slot, ...] = ()
    outer: int = 0


class NeedsBuffer(Exception):
    """A value must be stored before it can be asked for in this way."""

    def __init__(self, node: Node) -> None:
        super().__init__(node.op)
        self.node = node


class Divide(Exception):
    """A loop must be cut in two at an entry, for the value differs on both sides."""

    def __init__(self, loop: int, at: int) -> None:
        super().__init__(loop, at)
        self.loop, self.at = loop, at


class Memory:
    """Which values lie in which buffers."""

    def __init__(self, buffers: dict[Node, Buffer]) -> None:
        self.buffers = buffers

    def find(self, node: Node, index: Index, extents: tuple[int, ...]) -> tuple[Node, Affine] | None:
        """The value in a buffer that a value is a view of, and the place in its entry; None if there is none.

        Raises:
            NeedsBuffer: A view cuts the counters into pieces.
        """
        if node in self.buffers:
            return node, flattened(index, node.shape)
        if node.op in ("permute", "slice", "expand", "flip"):
            return self.find(node.inputs[0], moved(node, index), extents)
        if node.op == "reshape":
            (source,) = node.inputs
            if source in self.buffers:
                return source, flattened(index, node.shape)
            inner = unflattened(flattened(index, node.shape), source.shape, extents)
            if inner is None:
                raise NeedsBuffer(source)
            return self.find(source, inner, extents)
        return None


def moved(node: Node, index: Index) -> Index:
    """Where a view finds the entry at an index in what it is a view of; a reshape apart."""
    (source,) = node.inputs
    if node.op == "permute":
        order = node.settings["order"]
        return tuple(index[order.index(i)] for i in range(len(order)))
    if node.op == "slice":
        dim = node.settings["dim"]
        return (*index[:dim], index[dim] + node.settings["start"], *index[dim + 1 :])
    if node.op == "flip":
        return tuple(
            each * -1 + (size - 1) if i in node.settings["dims"] else each
            for i, (each, size) in enumerate(zip(index, node.shape, strict=True))
        )
    return _repeated(index, source)


def _repeated(index: Index, source: Node) -> Index:
    """The index into something that is repeated along its dimensions of size one."""
    return tuple(Affine() if size == 1 else each for each, size in zip(index, source.shape, strict=True))


class Body:
    """Builds the body of a nest by asking for values.

    Args:
        extents: Of the loops.
        memory: What lies in buffers already.
        fused: May sums of products be taken here?
    """

    def __init__(self, extents: tuple[int, ...], memory: Memory, fused: bool = True) -> None:
        self.extents = extents
        self.memory = memory
        self.fused = fused
        self.lines: list[Instruction] = []
        self.slots: list[Slot] = []
        self.known: dict[tuple[Node, Index], int] = {}
        self.loaded: dict[tuple[Node, Index], None] = {}
        """Values taken from buffers, with the index at which they were asked for."""
        self.read: dict[Node, None] = {}
        """Values that must lie whole in their buffers before this loop starts."""
        self.computed: dict[Node, None] = {}
        self._same: dict[Instruction, int] = {}

    def line(self, instruction: Instruction) -> int:
        """Add a line, unless it is there."""
        if instruction in self._same:
            return self._same[instruction]
        self.lines.append(instruction)
        if instruction.kind in ("constant", "load", "operation", "sum of products"):
            self._same[instruction] = len(self.lines) - 1
        return len(self.lines) - 1

    def value(self, node: Node, index: Index) -> int:
        """The line that gives a value at an index.

        Raises:
            NeedsBuffer: Something below must be stored first.
            Divide: A loop must be cut in two.
        """
        key = (node, index)
        if key not in self.known:
            self.known[key] = self._value(node, index)
        return self.known[key]

    def _value(self, node: Node, index: Index) -> int:
        if node.op == "constant":
            return self.line(Instruction("constant", value=node.settings["value"], boolean=node.boolean))
        if node in self.memory.buffers:
            self.loaded[node, index] = None
            return self._load(node, flattened(index, node.shape))
        if node.op in ("permute", "slice", "expand", "flip"):
            return self.value(node.inputs[0], moved(node, index))
        rule = getattr(self, f"_{node.op}", None)
        if rule is not None:
            return rule(node, index)
        if node.op not in OPERATIONS:
            raise NeedsBuffer(node)
        self.computed[node] = None
        inputs = tuple(self.value(each, _repeated(index, each)) for each in node.inputs)
        return self.line(Instruction("operation", inputs, name=node.op, boolean=node.boolean))

    def _load(self, node: Node, place: Affine) -> int:
        buffer = self.memory.buffers[node]
        return self.line(Instruction("load", buffer=buffer, place=place, boolean=node.boolean))

    def _reshape(self, node: Node, index: Index) -> int:
        (source,) = node.inputs
        flat = flattened(index, node.shape)
        if source in self.memory.buffers:
            inner = unflattened(flat, source.shape, self.extents)
            if inner is not None:
                return self.value(source, inner)
            self.read[source] = None
            return self._load(source, flat)
        inner = unflattened(flat, source.shape, self.extents)
        if inner is None:
            raise NeedsBuffer(source)
        return self.value(source, inner)

    def _cat(self, node: Node, index: Index) -> int:
        dim = node.settings["dim"]
        start = 0
        for piece in node.inputs:
            end = start + piece.shape[dim]
            if self._within(node, index[dim], start, end):
                return self.value(piece, (*index[:dim], index[dim] + -start, *index[dim + 1 :]))
            start = end
        raise NeedsBuffer(node)

    def _pad(self, node: Node, index: Index) -> int:
        dim, before = node.settings["dim"], node.settings["before"]
        (source,) = node.inputs
        if self._within(node, index[dim], before, before + source.shape[dim]):
            return self.value(source, (*index[:dim], index[dim] + -before, *index[dim + 1 :]))
        return self.line(Instruction("constant", value=0.0))

    def _within(self, node: Node, place: Affine, start: int, end: int) -> bool:
        """Do all counters lead into [start, end)? Where only some do, the loop must be cut."""
        low, high = place.bounds(self.extents)
        if low >= end or high < start:
            return False
        if start <= low and high < end:
            return True
        if len(place.steps) != 1 or place.steps[0][1] != 1:
            raise NeedsBuffer(node)
        loop = place.steps[0][0]
        raise Divide(loop, (start if low < start else end) - place.start)

    def _product(self, node: Node, index: Index) -> int:
        lane = len(self.extents) - 1
        if not self.fused or not self.extents or any(each.step(lane) for each in index[:-1]):
            raise NeedsBuffer(node)
        self.computed[node] = None
        slot = Slot(tuple(self._terms(node, index)))
        if slot not in self.slots:
            self.slots.append(slot)
        return self.line(Instruction("sum of products", slot=self.slots.index(slot)))

    def _terms(self, node: Node, index: Index) -> Iterator[tuple[Operand, WeightAccess]]:
        rows, weight = node.inputs
        along = counter(len(self.extents))
        extents = (*self.extents, rows.shape[-1])
        yield from self._operands(rows, (*index[:-1], along), weight, (*index[:-1], along, index[-1]), extents)

    def _operands(
        self, rows: Node, index: Index, weight: Node, access: Index, extents: tuple[int, ...]
    ) -> Iterator[tuple[Operand, WeightAccess]]:
        """The operand in its buffer, or the pieces of one that is put together from others."""
        length = extents[-1]
        if rows.op == "cat" and rows not in self.memory.buffers and rows.settings["dim"] == len(rows.shape) - 1:
            start = 0
            for piece in rows.inputs:
                size = piece.shape[-1]
                moved_access = (*access[:-2], access[-2] + start, access[-1])
                yield from self._operands(piece, index, weight, moved_access, (*extents[:-1], size))
                start += size
            return
        found = self.memory.find(rows, index, extents)
        if found is None:
            raise NeedsBuffer(rows)
        node, place = found
        along = len(extents) - 1
        if length > 1 and place.step(along) != 1:
            raise NeedsBuffer(rows)
        self.read[node] = None
        start = Affine(place.start, tuple(each for each in place.steps if each[0] != along))
        yield Operand(self.memory.buffers[node], start, length), weight_access(weight, access, extents)


def weight_access(weight: Node, index: Index, extents: tuple[int, ...]) -> WeightAccess:
    """The entry of the weight itself that a view of it shows at an index."""
    while weight.op != "weight":
        if weight.op == "reshape":
            inner = unflattened(flattened(index, weight.shape), weight.inputs[0].shape, extents)
            if inner is None:
                raise NeedsBuffer(weight)
            index = inner
        else:
            index = moved(weight, index)
        weight = weight.inputs[0]
    return WeightAccess(weight, index)
