"""Stores, and how they become nests of loops: which may share one, and which must wait for which.

A value that a phase stores is a task, or several where pieces of it are made differently.
"""

from dataclasses import dataclass

from elman.engine.affine import Affine, counter, flattened
from elman.engine.graph import Node
from elman.engine.nest import Body, Buffer, Divide, Index, Instruction, NeedsBuffer


@dataclass(frozen=True)
class Task:
    """One store: a region of a value into a buffer, or a total over some of its dimensions.

    Args:
        node: The value.
        buffer: Where it goes.
        start: Of the region.
        extents: Of all dimensions of the node, or of what it reduces.
        add: Is it added to what the buffer holds?
    """

    node: Node
    buffer: Buffer
    start: tuple[int, ...]
    extents: tuple[int, ...]
    add: bool = False

    @property
    def kind(self) -> str:
        """Of its nest."""
        return kind_of(self.node)

    @property
    def order(self) -> list[int]:
        """The dimensions of what is reduced in the order of the loops: kept, reduced, and what goes in vectors last."""
        node = self.node
        wide = [i for i, size in enumerate(self.extents) if size != 1]
        if node.op == "product" and self.extents[-1] == 1:
            wide.append(len(self.extents) - 1)
        if self.kind == "each" or not wide:
            return wide
        if node.op == "cumulate":
            return [i for i in wide if i != node.settings["dim"]] + [i for i in wide if i == node.settings["dim"]]
        reduced = [i for i in wide if i in node.settings["dims"]]
        kept = [i for i in wide if i not in reduced]
        return kept + reduced if self.kind == "across" else kept[:-1] + reduced + kept[-1:]

    @property
    def loops(self) -> tuple[int, ...]:
        """How often each loop turns."""
        return tuple(self.extents[i] for i in self.order) or (1,)

    @property
    def outer(self) -> int:
        """How many loops stand around a reduction."""
        if self.kind == "each":
            return 0
        if self.kind == "running":
            return len(self.loops) - 1
        reduced = sum(self.extents[i] != 1 for i in self.node.settings["dims"])
        return len(self.loops) - reduced - (self.kind == "along")

    @property
    def index(self) -> Index:
        """Where it looks, by the loops' counters."""
        order = self.order
        return tuple(
            counter(order.index(i)) + self.start[i] if i in order else Affine(self.start[i])
            for i in range(len(self.extents))
        )

    def finish(self, body: Body, line: int) -> None:
        """The last line: the store of what another line gives."""
        index = self.index
        if self.kind in ("each", "running"):
            shape = self.node.shape if self.kind == "each" else self.node.inputs[0].shape
            name = "add" if self.add else "store" if self.kind == "each" else "running"
            body.line(Instruction(name, (line,), buffer=self.buffer, place=flattened(index, shape)))
            if self.kind == "each":
                body.known.setdefault((self.node, index), line)
            return
        dims = self.node.settings["dims"]
        kept = tuple(Affine() if i in dims else each for i, each in enumerate(index))
        place = flattened(kept, self.node.shape)
        body.line(Instruction("reduce", (line,), name=self.node.settings["kind"], buffer=self.buffer, place=place))

    def alike(self, other: "Task") -> bool:
        """Do both walk over the same entries, each for itself?"""
        return self.kind == other.kind == "each" and self.loops == other.loops

    def halves(self, cut: Divide) -> list["Task"]:
        """Two tasks, where one loop would have to do two things."""
        dim = self.order[cut.loop]
        pieces = ((0, cut.at), (cut.at, self.extents[dim] - cut.at))
        return [
            Task(
                self.node,
                self.buffer,
                (*self.start[:dim], self.start[dim] + start, *self.start[dim + 1 :]),
                (*self.extents[:dim], size, *self.extents[dim + 1 :]),
                self.add,
            )
            for start, size in pieces
        ]


def kind_of(node: Node) -> str:
    """Of the nest that stores a value: `each` entry for itself, or a reduction."""
    if node.op == "cumulate":
        return "running"
    if node.op != "reduce":
        return "each"
    shape = node.inputs[0].shape
    last = max(i for i, size in enumerate(shape) if size != 1)
    return "across" if last in node.settings["dims"] else "along"


def levels_of(tasks: list[Task], waits: dict[Task, dict[Task, int]]) -> dict[Task, int]:
    """How many nests must come before each task's."""
    levels: dict[Task, int] = {}

    def level(task: Task, above: tuple[Task, ...] = ()) -> int:
        if task in above:
            raise NeedsBuffer(task.node)
        if task not in levels:
            levels[task] = max((level(other, (*above, task)) + gap for other, gap in waits[task].items()), default=0)
        return levels[task]

    for task in tasks:
        level(task)
    return levels


def by_waiting(group: list[Task], waits: dict[Task, dict[Task, int]]) -> list[Task]:
    """Those first that others of the same nest wait for."""
    result: list[Task] = []

    def visit(task: Task) -> None:
        if task in result:
            return
        for other in waits[task]:
            if other in group:
                visit(other)
        result.append(task)

    for task in group:
        visit(task)
    return result
