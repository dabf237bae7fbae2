"""From PyTorch's operations on batches to the engine's graph of one row.

Every value of the trace carries its layout: which of its dimensions is the batch, which are a row's own. Views that
only move the batch around, as `h.view(B * heads, d)` and matrix products with a transposed batch do, change the layout
and nothing else. An operation that is not understood is refused by its name.

Key: B the batch's dimension.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.fx import Node as Call

from elman.engine.capture import getitem, of_rows
from elman.engine.graph import Graph, Node
from elman.engine.operations import OPERATIONS
from elman.errors import Refused

BATCH = -1
Group = tuple[int, ...]


@dataclass(frozen=True)
class Seen:
    """A value of the trace: the node of one row, and how the trace's dimensions are made of the row's own.

    `groups` has one entry a dimension of the trace: none for a size of one, else dimensions of the node in their
    order, and `BATCH` for the rows.
    """

    node: Node
    groups: tuple[Group, ...]

    @property
    def batch(self) -> int | None:
        """The dimension in which the rows are, if any."""
        return next((i for i, group in enumerate(self.groups) if BATCH in group), None)

    def sizes(self, dim: int) -> tuple[int, ...]:
        """Sizes of the row's own dimensions within one of the trace."""
        return tuple(self.node.shape[atom] for atom in self.groups[dim] if atom != BATCH)

    @property
    def rank(self) -> int:
        return len(self.groups)


@dataclass(frozen=True)
class Summed:
    """A value of the trace that comes after a sum over rows: PyTorch computes it at the end, from the sums."""

    call: Call


Value = Seen | Summed | tuple[Any, ...]


class Translator:
    """Translates the calls of a trace, one after the other.

    Args:
        leaves: The value of each placeholder.
        weights_only: Calls that depend on weights alone, and thus stay with PyTorch.
        dtype: Of the numbers.
    """

    def __init__(self, leaves: dict[Call, Seen], weights_only: set[Call], dtype: torch.dtype) -> None:
        self.graph = Graph()
        self.values: dict[Call, Any] = dict(leaves)
        self.weights_only = weights_only
        self.dtype = dtype
        self.sums: dict[Call, Node] = {}
        self.afterwards: list[Call] = []

    def run(self, calls: Iterable[Call]) -> None:
        """Translate all calls of a graph.

        Raises:
            Refused: One of them is not understood, or mixes rows.
        """
        for call in calls:
            if call.op == "call_function" and call not in self.weights_only:
                self.values[call] = self._translated(call)

    def seen(self, argument: Any) -> Seen:
        """An argument as a value of rows."""
        if isinstance(argument, Seen):
            return argument
        if isinstance(argument, Call):
            if argument in self.weights_only:
                return self._weight(argument)
            value = self.values[argument]
            if isinstance(value, Summed):
                raise Refused(f"{word(value.call)} mixes the rows of the batch")
            return value
        if of_rows(argument) or not isinstance(argument, bool | int | float):
            raise Refused(
                f"the step takes {'the number of rows' if of_rows(argument) else repr(argument)} for a number"
            )
        return Seen(self.graph.constant(argument), ())

    def _weight(self, call: Call) -> Seen:
        tensor = call.meta["val"]
        if call in self.values:
            return self.values[call]
        boolean = tensor.dtype == torch.bool
        node = self.graph.node("weight", tensor.shape, boolean=boolean, source=call)
        self.values[call] = Seen(node, tuple((i,) for i in range(tensor.dim())))
        return self.values[call]

    def _translated(self, call: Call) -> Any:
        if any(isinstance(self.values.get(each), Summed) for each in call.all_input_nodes):
            return self._later(call)
        if getitem(call):
            source, number = call.args
            return self.values[source][number]  # pyright: ignore[reportArgumentType]
        name = name_of(call)
        for value in call.meta["val"] if isinstance(call.meta["val"], tuple | list) else (call.meta["val"],):
            if isinstance(value, Tensor) and value.is_complex():
                raise Refused(f"{word(call)} gives complex numbers")
            if isinstance(value, Tensor) and value.is_floating_point() and value.dtype != self.dtype:
                raise Refused(f"{word(call)} gives {value.dtype}, where the input has {self.dtype}")
        rule = RULES.get(name)
        if rule is not None:
            return rule(self, call, *call.args, **call.kwargs)
        if name in OPERATIONS:
            return self.elementwise(name, *call.args, **call.kwargs)
        numbers = any(of_rows(each) for each in (*call.args, *call.kwargs.values()))
        raise Refused(f"{word(call)} {'counts the rows of the batch' if numbers else 'is not known to the kernels'}")

    def _later(self, call: Call) -> Summed:
        if name_of(call) not in LINEAR:
            raise Refused(f"{word(call)} mixes the rows of the batch")
        if any(call_is_rowwise(self.values.get(each)) for each in call.all_input_nodes):
            raise Refused(f"{word(call)} mixes the rows of the batch")
        self.afterwards.append(call)
        return Summed(call)

    def summed(self, call: Call, node: Node) -> Summed:
        """A sum over rows, as it leaves the kernels."""
        self.sums[call] = node
        return Summed(call)

    # layouts

    def aligned(self, arguments: Sequence[Any]) -> tuple[list[Node], tuple[Group, ...]]:
        """Arguments of an elementwise operation, all of one rank, and the layout of its result."""
        seen = [self.seen(each) for each in arguments]
        rank = max(each.rank for each in seen)
        seen = [Seen(each.node, ((),) * (rank - each.rank) + each.groups) for each in seen]
        wanted: list[tuple[int, ...] | None] = []  # for each dimension with the batch: sizes of what goes with it
        for dim in range(rank):
            found = {each.sizes(dim) if BATCH in each.groups[dim] else None for each in seen} - {None}
            orders = {each.groups[dim].index(BATCH) for each in seen if BATCH in each.groups[dim]}
            if len(found) > 1 or len(orders) > 1:
                raise Refused("an elementwise operation mixes the rows of the batch")
            wanted.append(found.pop() if found else None)
        if sum(each is not None for each in wanted) > 1:
            raise Refused("an elementwise operation mixes the rows of the batch")
        pattern = next((each for each in seen if each.batch is not None), None)
        return [self._spread(each, wanted) for each in seen], self._groups(pattern, wanted)

    def _spread(self, seen: Seen, wanted: list[tuple[int, ...] | None]) -> Node:
        shape: list[int] = []
        for dim, beside in enumerate(wanted):
            sizes = seen.sizes(dim)
            if beside is None:
                shape.append(prod(sizes))
            elif BATCH in seen.groups[dim]:
                shape.extend(sizes)
            elif prod(sizes) == 1:
                shape.extend((1,) * len(beside))
            else:
                raise Refused("an elementwise operation mixes the rows of the batch")
        return self.graph.reshape(self._in_order(seen), shape)

    def _in_order(self, seen: Seen) -> Node:
        order = [atom for group in seen.groups for atom in group if atom != BATCH]
        rest = [i for i in range(len(seen.node.shape)) if i not in order]
        return self.graph.permute(seen.node, order + rest)

    def _groups(self, pattern: Seen | None, wanted: list[tuple[int, ...] | None]) -> tuple[Group, ...]:
        groups: list[Group] = []
        count = 0
        for dim, beside in enumerate(wanted):
            if beside is None:
                groups.append((count,))
                count += 1
                continue
            assert pattern is not None
            place = pattern.groups[dim].index(BATCH)
            own = list(range(count, count + len(beside)))
            groups.append((*own[:place], BATCH, *own[place:]))
            count += len(beside)
        return tuple(groups)

    def plain(self, argument: Any) -> Seen:
        """A value whose node has exactly the trace's dimensions in order, with one for each, beside the batch's."""
        seen = self.seen(argument)
        node = self._in_order(seen)
        shape, groups, count = [], [], 0
        for dim, group in enumerate(seen.groups):
            sizes = seen.sizes(dim)
            if BATCH in group:
                place = group.index(BATCH)
                own = list(range(count, count + len(sizes)))
                groups.append((*own[:place], BATCH, *own[place:]))
                shape.extend(sizes)
                count += len(sizes)
            else:
                groups.append((count,))
                shape.append(prod(sizes))
                count += 1
        return Seen(self.graph.reshape(node, shape), tuple(groups))

    def elementwise(self, name: str, *arguments: Any, **settings: Any) -> Seen:
        """An operation of the table."""
        arguments = (*arguments, *settings.values())
        nodes, groups = self.aligned(arguments)
        if name in NUMBERS:
            nodes = [self.number(node) for node in nodes]
        node = self.graph.elementwise(
            name, *nodes, boolean=OPERATIONS[name].boolean or self._chooses_truth(name, nodes)
        )
        return Seen(node, groups)

    def _chooses_truth(self, name: str, nodes: list[Node]) -> bool:
        return name == "where" and nodes[1].boolean and nodes[2].boolean

    def number(self, node: Node) -> Node:
        """Truth values as zeros and ones."""
        if not node.boolean:
            return node
        if node.op == "constant":
            return self.graph.constant(float(node.settings["value"]))
        return self.graph.elementwise("where", node, self.graph.constant(1.0), self.graph.constant(0.0))


def call_is_rowwise(value: Any) -> bool:
    """Is it a value that rows have each for themselves?"""
    return isinstance(value, Seen) and value.batch is not None


def name_of(call: Call) -> str:
    """PyTorch's name of an operation."""
    schema = getattr(call.target, "_schema", None)
    return schema.name.removeprefix("aten::") if schema is not None else str(call.target)


def word(call: Call) -> str:
    """An operation, in a refusal."""
    return f"the operation {call.target}"


NUMBERS = {
    "add", "sub", "mul", "div", "maximum", "minimum", "pow", "neg", "eq", "ne", "lt", "le", "gt", "ge", "lerp",
}  # fmt: skip
"""Operations that take truth values as zeros and ones."""
LINEAR = {
    "view", "_unsafe_view", "reshape", "permute", "expand", "unsqueeze", "squeeze", "clone", "add", "sub", "neg", "mul",
    "div", "sum", "slice_backward", "select_backward", "cat", "constant_pad_nd", "_to_copy", "slice", "select", "alias",
}  # fmt: skip
"""What may happen to a sum over rows: as it is linear, it can wait for the sum over time."""

RULES: dict[str, Callable[..., Any]] = {}


def rule(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a rule for operations of PyTorch."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        for name in names:
            RULES[name] = function
        return function

    return register
