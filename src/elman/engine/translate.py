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

from elman.engine.capture import ROWS, getitem, of_rows
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
                raise Refused(f"{_word(value.call)} mixes the rows of the batch")
            return value
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
            return self.values[call.args[0]][call.args[1]]
        name = call.target._schema.name.removeprefix("aten::")
        for value in call.meta["val"] if isinstance(call.meta["val"], tuple | list) else (call.meta["val"],):
            if isinstance(value, Tensor) and value.is_complex():
                raise Refused(f"{_word(call)} gives complex numbers")
            if isinstance(value, Tensor) and value.is_floating_point() and value.dtype != self.dtype:
                raise Refused(f"{_word(call)} gives {value.dtype}, where the input has {self.dtype}")
        rule = RULES.get(name)
        if rule is not None:
            return rule(self, call, *call.args, **call.kwargs)
        if name in OPERATIONS:
            return self.elementwise(name, *call.args, **call.kwargs)
        numbers = any(of_rows(each) for each in (*call.args, *call.kwargs.values()))
        raise Refused(f"{_word(call)} {'counts the rows of the batch' if numbers else 'is not known to the kernels'}")

    def _later(self, call: Call) -> Summed:
        if call.target._schema.name.removeprefix("aten::") not in LINEAR:
            raise Refused(f"{_word(call)} mixes the rows of the batch")
        if any(call_is_rowwise(self.values.get(each)) for each in call.all_input_nodes):
            raise Refused(f"{_word(call)} mixes the rows of the batch")
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
        if name in ("add", "sub", "mul", "div", "maximum", "minimum", "pow", "neg"):
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


def _word(call: Call) -> str:
    return f"the operation {call.target}" if not isinstance(call.target, str) else f"the operation {call.target}"


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


# views


@rule("alias", "clone", "detach", "contiguous", "lift_fresh_copy")
def _same(t: Translator, call: Call, x: Any, **_: Any) -> Any:
    return t.seen(x)


@rule("_to_copy")
def _to_copy(t: Translator, call: Call, x: Any, dtype: Any = None, **_: Any) -> Any:
    seen = t.seen(x)
    if call.meta["val"].dtype == torch.bool and not seen.node.boolean:
        return t.elementwise("ne", x, 0.0)
    return Seen(t.number(seen.node), seen.groups) if call.meta["val"].is_floating_point() else seen


@rule("permute")
def _permute(t: Translator, call: Call, x: Any, order: Sequence[int]) -> Seen:
    seen = t.plain(x)
    groups = [seen.groups[dim] for dim in order]
    atoms = [atom for group in groups for atom in group if atom != BATCH]
    place = {atom: i for i, atom in enumerate(atoms)}
    node = t.graph.permute(seen.node, atoms)
    return Seen(node, tuple(tuple(BATCH if atom == BATCH else place[atom] for atom in group) for group in groups))


@rule("t")
def _transpose(t: Translator, call: Call, x: Any) -> Seen:
    return _permute(t, call, x, range(t.seen(x).rank)[::-1])


@rule("view", "_unsafe_view", "reshape")
def _view(t: Translator, call: Call, x: Any, _: Any) -> Seen:
    seen = t.plain(x)
    sizes = list(call.meta["val"].shape)
    if seen.batch is None:
        node = t.graph.reshape(seen.node, sizes)
        return Seen(node, tuple((i,) for i in range(len(sizes))))
    atoms = [ROWS if atom == BATCH else seen.node.shape[atom] for group in seen.groups for atom in group]
    atoms = [atom for atom in atoms if atom != 1]
    shape: list[int] = []
    groups: list[Group] = []
    for size in sizes:
        group: list[int] = []
        while size != 1:
            atom = atoms.pop(0) if atoms else 0
            if atom == ROWS and size % ROWS == 0:
                group.append(BATCH)
                size //= ROWS
                continue
            if atom == ROWS or atom == 0:
                raise Refused(f"{_word(call)} mixes the rows of the batch with other dimensions")
            own = _fitting(size // ROWS if of_rows(size) else size, atom)
            if own is None:
                merged = _merged(atoms, atom, size)
                if merged is None:
                    raise Refused(f"{_word(call)} mixes the rows of the batch with other dimensions")
                own, atoms = merged
            elif own < atom:
                atoms.insert(0, atom // own)
            group.append(len(shape))
            shape.append(own)
            size //= own
        groups.append(tuple(group))
    return Seen(t.graph.reshape(seen.node, shape), tuple(groups))


def _fitting(size: int, atom: int) -> int | None:
    """How much of an atom fits into what is left of a dimension: all of it, or a divisor."""
    if size % atom == 0:
        return atom
    return size if atom % size == 0 else None


def _merged(atoms: list[int], atom: int, size: int) -> tuple[int, list[int]] | None:
    """Run atoms together until a dimension is full."""
    rest = list(atoms)
    while rest and rest[0] != ROWS:
        atom *= rest.pop(0)
        own = _fitting(size, atom)
        if own is not None:
            return own, [atom // own, *rest] if own < atom else rest
    return None


@rule("unsqueeze")
def _unsqueeze(t: Translator, call: Call, x: Any, dim: int) -> Seen:
    seen = t.seen(x)
    dim %= seen.rank + 1
    return Seen(seen.node, (*seen.groups[:dim], (), *seen.groups[dim:]))


@rule("squeeze")
def _squeeze(t: Translator, call: Call, x: Any, dims: Any = None) -> Seen:
    seen = t.plain(x)
    shape = x.meta["val"].shape
    dims = range(seen.rank) if dims is None else [dims] if isinstance(dims, int) else dims
    gone = {dim % seen.rank for dim in dims if shape[dim] == 1}
    kept = [group for dim, group in enumerate(seen.groups) if dim not in gone]
    atoms = [atom for group in kept for atom in group if atom != BATCH]
    place = {atom: i for i, atom in enumerate(atoms)}
    node = t.graph.reshape(seen.node, [seen.node.shape[atom] for atom in atoms])
    return Seen(node, tuple(tuple(BATCH if atom == BATCH else place[atom] for atom in group) for group in kept))


@rule("expand", "repeat")
def _expand(t: Translator, call: Call, x: Any, sizes: Sequence[int], **_: Any) -> Seen:
    seen = t.seen(x)
    full = list(call.meta["val"].shape)
    if call.target is torch.ops.aten.repeat.default and any(
        repeat != 1 and size != 1
        for repeat, size in zip(sizes[len(sizes) - seen.rank :], x.meta["val"].shape, strict=True)
    ):
        raise Refused(f"{_word(call)} is not known to the kernels")
    seen = t.plain(x)
    seen = Seen(seen.node, ((),) * (len(full) - seen.rank) + seen.groups)
    shape: list[int] = []
    before: list[int] = []
    groups: list[Group] = []
    for dim, size in enumerate(full):
        own = seen.sizes(dim)
        if BATCH in seen.groups[dim]:
            place = seen.groups[dim].index(BATCH)
            atoms = list(range(len(shape), len(shape) + len(own)))
            groups.append((*atoms[:place], BATCH, *atoms[place:]))
            shape.extend(own)
            before.extend(own)
        elif of_rows(size):
            beside = size // ROWS
            groups.append((BATCH, len(shape)) if beside > 1 else (BATCH,))
            shape.extend((beside,) if beside > 1 else ())
            before.extend((prod(own),) if beside > 1 else ())
        else:
            groups.append((len(shape),))
            shape.append(size)
            before.append(prod(own))
    node = t.graph.reshape(seen.node, before)
    return Seen(t.graph.expand(node, shape), tuple(groups))


@rule("slice")
def _slice(
    t: Translator, call: Call, x: Any, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Seen:
    seen = t.plain(x)
    dim %= seen.rank
    size = x.meta["val"].shape[dim]
    start, end, step = slice(start, end, step).indices(size)
    if BATCH in seen.groups[dim]:
        if (start, step) == (0, 1) and end >= size:
            return seen
        raise Refused(f"{_word(call)} picks some rows of the batch")
    (atom,) = seen.groups[dim]
    if step == 1:
        return Seen(t.graph.slice(seen.node, atom, start, max(end - start, 0)), seen.groups)
    return Seen(_every(t, seen.node, atom, start, end, step, call), seen.groups)


def _every(t: Translator, node: Node, dim: int, start: int, end: int, step: int, call: Call) -> Node:
    """Every step-th entry: a column of the dimension laid out in rows of `step`."""
    count = len(range(start, end, step))
    first = start - start % step
    span = count * step
    if first + span > node.shape[dim]:
        raise Refused(f"{_word(call)} takes steps that do not divide its dimension")
    node = t.graph.slice(node, dim, first, span)
    wide = t.graph.reshape(node, (*node.shape[:dim], count, step, *node.shape[dim + 1 :]))
    picked = t.graph.slice(wide, dim + 1, start % step, 1)
    return t.graph.reshape(picked, (*node.shape[:dim], count, *node.shape[dim + 1 :]))


@rule("select")
def _select(t: Translator, call: Call, x: Any, dim: int, index: int) -> Seen:
    seen = t.plain(x)
    dim %= seen.rank
    if BATCH in seen.groups[dim]:
        raise Refused(f"{_word(call)} picks some rows of the batch")
    size = x.meta["val"].shape[dim]
    (atom,) = seen.groups[dim]
    node = t.graph.slice(seen.node, atom, index % size, 1)
    node = t.graph.reshape(node, (*node.shape[:atom], *node.shape[atom + 1 :]))
    groups = [tuple(a if a == BATCH or a < atom else a - 1 for a in g) for i, g in enumerate(seen.groups) if i != dim]
    return Seen(node, tuple(groups))


@rule("split_with_sizes")
def _split(t: Translator, call: Call, x: Any, sizes: Sequence[int], dim: int = 0) -> tuple[Seen, ...]:
    seen = t.plain(x)
    dim %= seen.rank
    if BATCH in seen.groups[dim]:
        raise Refused(f"{_word(call)} picks some rows of the batch")
    (atom,) = seen.groups[dim]
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    pieces = zip(starts, sizes, strict=True)
    return tuple(Seen(t.graph.slice(seen.node, atom, start, size), seen.groups) for start, size in pieces)


@rule("flip")
def _flip(t: Translator, call: Call, x: Any, dims: Sequence[int]) -> Seen:
    seen = t.plain(x)
    if any(BATCH in seen.groups[dim] for dim in dims):
        raise Refused(f"{_word(call)} mixes the rows of the batch")
    atoms = tuple(sorted(seen.groups[dim % seen.rank][0] for dim in dims))
    return Seen(t.graph.node("flip", seen.node.shape, (seen.node,), dims=atoms), seen.groups)


@rule("cat")
def _cat(t: Translator, call: Call, pieces: Sequence[Any], dim: int = 0) -> Seen:
    seen = [t.plain(each) for each in pieces]
    rank = max(each.rank for each in seen)
    dim %= rank
    pattern = next((each for each in seen if each.batch is not None), seen[0])
    if BATCH in pattern.groups[dim]:
        raise Refused(f"{_word(call)} mixes the rows of the batch")
    (atom,) = pattern.groups[dim]
    nodes = []
    for each in seen:
        if each.groups != pattern.groups:
            raise Refused(f"{_word(call)} mixes the rows of the batch")
        if each.node.shape[atom]:
            nodes.append(each.node)
    if len(nodes) == 1:
        return Seen(nodes[0], pattern.groups)
    shape = list(nodes[0].shape)
    shape[atom] = sum(node.shape[atom] for node in nodes)
    return Seen(t.graph.node("cat", shape, nodes, boolean=nodes[0].boolean, dim=atom), pattern.groups)


@rule("slice_backward")
def _slice_backward(
    t: Translator, call: Call, x: Any, sizes: Sequence[int], dim: int, start: int, end: int, step: int
) -> Seen:
    seen = t.plain(x)
    dim %= seen.rank
    start, end, step = slice(start, end, step).indices(sizes[dim])
    if BATCH in seen.groups[dim]:
        return seen
    (atom,) = seen.groups[dim]
    if step == 1:
        return Seen(t.graph.pad(seen.node, atom, start, sizes[dim]), seen.groups)
    node = seen.node
    wide = t.graph.reshape(node, (*node.shape[: atom + 1], 1, *node.shape[atom + 1 :]))
    wide = t.graph.pad(wide, atom + 1, start % step, step)
    flat = t.graph.reshape(wide, (*node.shape[:atom], node.shape[atom] * step, *node.shape[atom + 1 :]))
    return Seen(t.graph.pad(flat, atom, start - start % step, sizes[dim]), seen.groups)


@rule("select_backward")
def _select_backward(t: Translator, call: Call, x: Any, sizes: Sequence[int], dim: int, index: int) -> Seen:
    dim %= len(sizes)
    widened = _unsqueeze(t, call, x, dim)
    seen = t.plain(widened)
    (atom,) = seen.groups[dim]
    return Seen(t.graph.pad(seen.node, atom, index % sizes[dim], sizes[dim]), seen.groups)


@rule("constant_pad_nd")
def _constant_pad(t: Translator, call: Call, x: Any, widths: Sequence[int], value: float = 0.0) -> Seen:
    seen = t.plain(x)
    if value != 0 or any(width < 0 for width in widths):
        raise Refused(f"{_word(call)} pads with something other than zeros")
    node = seen.node
    for i in range(0, len(widths), 2):
        group = seen.groups[seen.rank - 1 - i // 2]
        if BATCH in group:
            raise Refused(f"{_word(call)} mixes the rows of the batch")
        size = node.shape[group[0]] + widths[i] + widths[i + 1]
        node = t.graph.pad(node, group[0], widths[i], size)
    return Seen(node, seen.groups)


@rule("slice_scatter")
def _slice_scatter(
    t: Translator, call: Call, x: Any, piece: Any, dim: int = 0, start: Any = None, end: Any = None, step: int = 1
) -> Seen:
    size = call.meta["val"].shape[dim]
    start, end, step = slice(start, end, step).indices(size)
    if (start, end, step) == (0, size, 1):
        return t.plain(piece)
    return _put(t, call, t.plain(x), t.plain(piece), dim, start, end, step)


@rule("select_scatter")
def _select_scatter(t: Translator, call: Call, x: Any, piece: Any, dim: int, index: int) -> Seen:
    dim %= call.meta["val"].dim()
    index %= call.meta["val"].shape[dim]
    return _put(t, call, t.plain(x), t.plain(_unsqueeze(t, call, piece, dim)), dim, index, index + 1, 1)


def _put(t: Translator, call: Call, x: Seen, piece: Seen, dim: int, start: int, end: int, step: int) -> Seen:
    """A stretch of a dimension replaced."""
    if step != 1 or BATCH in x.groups[dim]:
        raise Refused(f"{_word(call)} is not known to the kernels")
    (nodes, groups) = t.aligned([x, piece]) if x.batch == piece.batch else ([], ())
    if not nodes:
        shape = call.meta["val"].shape
        x, piece = (_over_rows(t, each, shape) for each in (x, piece))
        nodes, groups = t.aligned([x, piece])
    (atom,) = groups[dim]
    whole, size = nodes[0], call.meta["val"].shape[dim]
    parts = [t.graph.slice(whole, atom, 0, start), nodes[1], t.graph.slice(whole, atom, end, size - end)]
    parts = [t.number(part) for part in parts if part.shape[atom]]
    return Seen(t.graph.node("cat", whole.shape, parts, dim=atom) if len(parts) > 1 else parts[0], groups)


def _over_rows(t: Translator, seen: Seen, shape: Sequence[int]) -> Seen:
    """The same for every row, if it has none yet."""
    if seen.batch is not None:
        return seen
    if shape[0] != ROWS:
        raise Refused("a value is put into one that mixes the rows of the batch")
    node = t.graph.reshape(seen.node, seen.node.shape[1:])
    return Seen(t.graph.expand(node, node.shape), ((BATCH,), *((i,) for i in range(len(node.shape)))))


@rule("linalg_vector_norm")
def _norm(
    t: Translator, call: Call, x: Any, order: float = 2, dims: Any = None, keepdim: bool = False, **_: Any
) -> Seen:
    seen = t.plain(x)
    dims = _dims(seen, dims)
    if order == 2:
        return t.elementwise("sqrt", _of_rows(t, call, "sum", t.elementwise("mul", seen, seen), dims, keepdim))
    if order not in (1, float("inf")):
        raise Refused(f"{_word(call)} of order {order} is not known to the kernels")
    return _of_rows(t, call, "sum" if order == 1 else "amax", t.elementwise("abs", seen), dims, keepdim)


@rule("any", "all")
def _any(t: Translator, call: Call, x: Any, dims: Any = None, keepdim: bool = False) -> Seen:
    seen = t.plain(x)
    kind = "amax" if call.target._schema.name == "aten::any" else "amin"
    reduced = _of_rows(t, call, kind, Seen(t.number(seen.node), seen.groups), _dims(seen, dims), keepdim)
    return t.elementwise("ne", reduced, 0.0)


@rule(
    "empty",
    "empty_like",
    "empty_permuted",
    "new_empty",
    "full",
    "zeros",
    "ones",
    "full_like",
    "zeros_like",
    "ones_like",
    "scalar_tensor",
    "new_zeros",
    "new_full",
)
def _full(t: Translator, call: Call, *arguments: Any, **_: Any) -> Seen:
    name = call.target._schema.name.removeprefix("aten::")
    value = {"ones": 1, "ones_like": 1}.get(name, 0 if name.startswith(("empty", "zeros", "new_")) else None)
    value = None if name == "new_full" else value
    if value is None:
        value = arguments[{"scalar_tensor": 0, "new_full": 2}.get(name, 1)]
    tensor = call.meta["val"]
    number = t.graph.constant(bool(value) if tensor.dtype == torch.bool else float(value))
    shape: list[int] = []
    groups: list[Group] = []
    for size in tensor.shape:
        beside = size // ROWS if of_rows(size) else size
        own = (len(shape),) if not of_rows(size) or beside > 1 else ()
        groups.append((BATCH, *own) if of_rows(size) else own)
        shape.extend((beside,) if own else ())
    return Seen(t.graph.expand(number, shape), tuple(groups))


# arithmetic with a form of its own


@rule("add", "sub", "rsub")
def _add(t: Translator, call: Call, a: Any, b: Any, alpha: float = 1) -> Seen:
    name = call.target._schema.name.removeprefix("aten::")
    if name == "rsub":
        name, a, b = "sub", b, a
    if alpha == 1:
        return t.elementwise(name, a, b)
    scaled = t.elementwise("mul", b, float(alpha))
    return t.elementwise(name, t.seen(a), scaled)


@rule("div")
def _div(t: Translator, call: Call, a: Any, b: Any, rounding_mode: str | None = None) -> Seen:
    quotient = t.elementwise("div", a, b)
    return quotient if rounding_mode is None else t.elementwise(rounding_mode, quotient)


@rule("clamp")
def _clamp(t: Translator, call: Call, x: Any, low: Any = None, high: Any = None) -> Seen:
    seen = t.seen(x)
    if low is not None:
        seen = t.elementwise("clamp_min", seen, t.seen(low))
    if high is not None:
        seen = t.elementwise("clamp_max", seen, t.seen(high))
    return seen


@rule("pow")
def _pow(t: Translator, call: Call, a: Any, b: Any) -> Seen:
    seen = t.seen(a)
    if not isinstance(b, int | float):
        return t.elementwise("pow", a, b)
    if b == 0.5:
        return t.elementwise("sqrt", a)
    if b == -0.5:
        return t.elementwise("rsqrt", a)
    if not float(b).is_integer() or not 1 <= abs(b) <= 4:
        return t.elementwise("pow", a, float(b))
    result = seen
    for _ in range(int(abs(b)) - 1):
        result = t.elementwise("mul", result, seen)
    return result if b > 0 else t.elementwise("reciprocal", result)


@rule("gelu")
def _gelu(t: Translator, call: Call, x: Any, approximate: str = "none") -> Seen:
    if approximate == "none":
        return t.elementwise("gelu", x)
    seen = t.seen(x)
    cubed = t.elementwise("mul", seen, t.elementwise("mul", seen, seen))
    inner = t.elementwise("add", seen, t.elementwise("mul", cubed, t.seen(0.044715)))
    tanh = t.elementwise("tanh", t.elementwise("mul", inner, t.seen(0.7978845608028654)))
    half = t.elementwise("mul", seen, t.seen(0.5))
    return t.elementwise("mul", half, t.elementwise("add", tanh, t.seen(1.0)))


# reductions


def _dims(seen: Seen, dims: Any) -> list[int]:
    if dims is None or (isinstance(dims, list | tuple) and not dims):
        return list(range(seen.rank))
    return [dim % seen.rank for dim in (dims if isinstance(dims, list | tuple) else [dims])]


def _reduced(t: Translator, kind: str, seen: Seen, dims: list[int], keep: bool) -> Seen:
    """A reduction over dimensions of the row's own."""
    atoms = [seen.groups[dim][0] for dim in dims]
    node = t.graph.reduce(kind, seen.node, atoms, keep=True)
    if keep:
        return Seen(node, seen.groups)
    left = [i for i in range(len(node.shape)) if i not in atoms]
    place = {atom: i for i, atom in enumerate(left)}
    node = t.graph.reshape(node, [node.shape[i] for i in left])
    kept = [group for dim, group in enumerate(seen.groups) if dim not in dims]
    return Seen(node, tuple(tuple(a if a == BATCH else place[a] for a in group) for group in kept))


@rule("sum")
def _sum(t: Translator, call: Call, x: Any, dims: Any = None, keepdim: bool = False, **_: Any) -> Any:
    seen = t.plain(x)
    node = t.number(seen.node)
    seen = Seen(node, seen.groups)
    dims = _dims(seen, dims)
    if seen.batch not in dims:
        return _reduced(t, "sum", seen, dims, keepdim)
    beside = [atom for atom in seen.groups[seen.batch] if atom != BATCH]
    atoms = sorted(beside + [seen.groups[dim][0] for dim in dims if dim != seen.batch])
    node = t.graph.reduce("sum", seen.node, atoms, keep=False)
    return t.summed(call, t.graph.node("contract", call.meta["val"].shape, (node,)))


@rule("amax", "amin")
def _extreme(t: Translator, call: Call, x: Any, dims: Any = None, keepdim: bool = False) -> Seen:
    seen = t.plain(x)
    return _of_rows(t, call, call.target._schema.name.removeprefix("aten::"), seen, _dims(seen, dims), keepdim)


def _of_rows(t: Translator, call: Call, kind: str, seen: Seen, dims: list[int], keep: bool) -> Seen:
    if seen.batch in dims:
        raise Refused(f"{_word(call)} mixes the rows of the batch")
    return _reduced(t, kind, seen, dims, keep)


def _count(seen: Seen, dims: list[int]) -> int:
    return prod(size for dim in dims for size in seen.sizes(dim))


@rule("mean")
def _mean(t: Translator, call: Call, x: Any, dims: Any = None, keepdim: bool = False, **_: Any) -> Seen:
    seen = t.plain(x)
    dims = _dims(seen, dims)
    total = _of_rows(t, call, "sum", seen, dims, keepdim)
    return t.elementwise("div", total, t.seen(float(_count(seen, dims))))


def _moments(t: Translator, call: Call, seen: Seen, dims: list[int], correction: float) -> tuple[Seen, Seen]:
    """Mean and variance, dimensions kept."""
    count = _count(seen, dims)
    mean = t.elementwise("div", _of_rows(t, call, "sum", seen, dims, True), t.seen(float(count)))
    away = t.elementwise("sub", seen, mean)
    squares = _reduced(t, "sum", t.elementwise("mul", away, away), dims, True)
    return mean, t.elementwise("div", squares, t.seen(float(count - correction)))


@rule("var", "var_mean", "std", "std_mean")
def _var(
    t: Translator, call: Call, x: Any, dims: Any = None, *, correction: float | None = None, keepdim: bool = False
) -> Any:
    seen = t.plain(x)
    dims = _dims(seen, dims)
    mean, spread = _moments(t, call, seen, dims, 1 if correction is None else correction)
    if "std" in call.target._schema.name:
        spread = t.elementwise("sqrt", spread)
    if not keepdim:
        mean, spread = _without(t, mean, dims), _without(t, spread, dims)
    return (spread, mean) if "mean" in call.target._schema.name else spread


def _without(t: Translator, seen: Seen, dims: list[int]) -> Seen:
    """Drop dimensions of size one."""
    return _reduced(t, "sum", seen, dims, False)


@rule("native_layer_norm")
def _layer_norm(t: Translator, call: Call, x: Any, shape: Sequence[int], weight: Any, bias: Any, eps: float) -> Any:
    seen = t.plain(x)
    dims = list(range(seen.rank - len(shape), seen.rank))
    return _normalised(t, call, seen, dims, weight, bias, eps)


def _normalised(t: Translator, call: Call, seen: Seen, dims: list[int], weight: Any, bias: Any, eps: float) -> Any:
    mean, variance = _moments(t, call, seen, dims, 0)
    scale = t.elementwise("rsqrt", t.elementwise("add", variance, t.seen(float(eps))))
    result = t.elementwise("mul", t.elementwise("sub", seen, mean), scale)
    if weight is not None:
        result = t.elementwise("mul", result, t.seen(weight))
    if bias is not None:
        result = t.elementwise("add", result, t.seen(bias))
    return result, mean, scale


@rule("native_group_norm")
def _group_norm(
    t: Translator,
    call: Call,
    x: Any,
    weight: Any,
    bias: Any,
    rows: int,
    channels: int,
    area: int,
    groups: int,
    eps: float,
) -> Any:
    seen = t.plain(x)
    if seen.groups[0] != (BATCH,):
        raise Refused(f"{_word(call)} mixes the rows of the batch")
    whole = seen.node.shape
    split = Seen(t.graph.reshape(seen.node, (groups, channels // groups * area)), ((BATCH,), (0,), (1,)))
    result, mean, scale = _normalised(t, call, split, [2], None, None, eps)
    result = Seen(t.graph.reshape(result.node, whole), seen.groups)
    for name, value in (("mul", weight), ("add", bias)):
        if value is not None:
            column = t.seen(value)
            column = Seen(column.node, (column.groups[0], *((),) * (seen.rank - 2)))
            result = t.elementwise(name, result, column)
    return result, _without(t, mean, [2]), _without(t, scale, [2])


@rule("_softmax", "_log_softmax")
def _softmax(t: Translator, call: Call, x: Any, dim: int, half: bool) -> Seen:
    seen = t.plain(x)
    dims = _dims(seen, dim)
    away = t.elementwise("sub", seen, _of_rows(t, call, "amax", seen, dims, True))
    powers = t.elementwise("exp", away)
    total = _reduced(t, "sum", powers, dims, True)
    if "log" in call.target._schema.name:
        return t.elementwise("sub", away, t.elementwise("log", total))
    return t.elementwise("div", powers, total)


@rule("cumsum")
def _cumsum(t: Translator, call: Call, x: Any, dim: int, **_: Any) -> Seen:
    seen = t.plain(x)
    dim %= seen.rank
    if BATCH in seen.groups[dim]:
        raise Refused(f"{_word(call)} mixes the rows of the batch")
    (atom,) = seen.groups[dim]
    return Seen(t.graph.node("cumulate", seen.node.shape, (seen.node,), dim=atom), seen.groups)


# products


@rule("mm")
def _mm(t: Translator, call: Call, a: Any, b: Any) -> Any:
    left, right = t.plain(a), t.plain(b)
    return _product(t, call, _headed(t, left), _headed(t, right), heads=False)


def _headed(t: Translator, seen: Seen) -> Seen:
    """A matrix as a batch of one matrix."""
    groups = tuple(tuple(a if a == BATCH else a + 1 for a in group) for group in seen.groups)
    return Seen(t.graph.reshape(seen.node, (1, *seen.node.shape)), ((0,), *groups))


@rule("bmm")
def _bmm(t: Translator, call: Call, a: Any, b: Any) -> Any:
    return _product(t, call, t.plain(a), t.plain(b), heads=True)


def _product(t: Translator, call: Call, a: Seen, b: Seen, heads: bool) -> Any:
    """(h, m, k) times (h, k, n), the batch somewhere in it."""
    where = (a.batch, b.batch)
    if where == (0, 0):
        return _rows_times_rows(t, a, b)
    if where == (2, 1):
        return t.summed(call, _contracted(t, call, a, b, heads))
    if where == (1, None):
        result = _rows_times_weight(t, a, b.node)
    elif where == (None, 2):
        swapped = _rows_times_weight(t, _swapped(t, b), t.graph.permute(a.node, (0, 2, 1)))
        result = _swapped(t, swapped)
    else:
        raise Refused(f"{_word(call)} mixes the rows of the batch")
    return result if heads else _first_dropped(t, result)


def _first_dropped(t: Translator, seen: Seen) -> Seen:
    node = t.graph.reshape(seen.node, seen.node.shape[1:])
    return Seen(node, tuple(tuple(a if a == BATCH else a - 1 for a in group) for group in seen.groups[1:]))


def _swapped(t: Translator, seen: Seen) -> Seen:
    """The last two dimensions of the trace in the other order."""
    groups = (seen.groups[0], seen.groups[2], seen.groups[1])
    atoms = [atom for group in groups for atom in group if atom != BATCH]
    place = {atom: i for i, atom in enumerate(atoms)}
    node = t.graph.permute(seen.node, atoms)
    return Seen(node, tuple(tuple(BATCH if a == BATCH else place[a] for a in group) for group in groups))


def _rows_times_weight(t: Translator, a: Seen, weight: Node) -> Seen:
    """a: (h, [batch and m...], k) in the row's dimensions h, m..., k; weight: h, k, n."""
    if a.groups[1][0] != BATCH:
        raise Refused("a product takes the batch as the inner part of a dimension")
    between = len(a.node.shape) - 2
    weight = t.graph.reshape(weight, (weight.shape[0], *(1,) * between, *weight.shape[1:]))
    weight = t.graph.expand(weight, (*a.node.shape[:-1], *weight.shape[-2:]))
    return Seen(t.graph.product(a.node, weight), a.groups)


def _rows_times_rows(t: Translator, a: Seen, b: Seen) -> Seen:
    """Both have the batch in front: (batch h..., m, k) times (batch h..., k, n), summed over k."""
    weight = _shared_under(b.node)
    if weight is not None:
        lead, m = a.node.shape[:-2], a.node.shape[-2]
        weight = t.graph.expand(
            t.graph.reshape(weight, (*weight.shape[:-2], 1, *weight.shape[-2:])), (*lead, m, *b.node.shape[-2:])
        )
        return Seen(t.graph.product(a.node, weight), a.groups)
    (*lead, m, k), n = a.node.shape, b.node.shape[-1]
    rank = len(lead)
    if n == 1:
        left, right = a.node, t.graph.permute(b.node, (*range(rank), rank + 1, rank))
        summed = t.graph.reduce("sum", t.graph.elementwise("mul", left, right), (rank + 1,), keep=True)
        return Seen(summed, a.groups)
    left = t.graph.reshape(a.node, (*lead, m, k, 1))
    right = t.graph.reshape(b.node, (*lead, 1, k, n))
    summed = t.graph.reduce("sum", t.graph.elementwise("mul", left, right), (rank + 1,), keep=True)
    return Seen(t.graph.reshape(summed, (*lead, m, n)), a.groups)


def _shared_under(node: Node) -> Node | None:
    """The weight of which every row sees the same."""
    while node.op == "expand":
        node = node.inputs[0]
    return node if node.shared and node.op != "constant" else None


def _contracted(t: Translator, call: Call, a: Seen, b: Seen, heads: bool) -> Node:
    """(h, m, [batch and s...]) times (h, [batch and s...], n), summed over the rows and s."""
    if a.sizes(2) != b.sizes(1) or a.groups[2].index(BATCH) != b.groups[1].index(BATCH):
        raise Refused(f"{_word(call)} mixes the rows of the batch")
    between = len(a.node.shape) - 2
    left = t.graph.permute(a.node, (0, *range(2, 2 + between), 1))
    shape = call.meta["val"].shape
    return t.graph.node("contract", shape, (left, b.node))
