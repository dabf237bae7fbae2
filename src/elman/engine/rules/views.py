"""Views, and values put together from pieces."""

from collections.abc import Sequence
from math import prod
from typing import Any

import torch
from torch.fx import Node as Call

from elman.engine.capture import ROWS, of_rows
from elman.engine.graph import Node
from elman.engine.translate import BATCH, Group, Seen, Translator, rule, word
from elman.errors import Refused


@rule("alias", "clone", "detach", "contiguous", "lift_fresh_copy")
def _same(t: Translator, call: Call, x: Any, **_: Any) -> Any:
    return t.seen(x)


@rule("_to_copy")
def _to_copy(t: Translator, call: Call, x: Any, dtype: Any = None, **_: Any) -> Any:
    seen = t.seen(x)
    if not call.meta["val"].is_floating_point() and not seen.node.boolean and call.meta["val"].dtype != torch.bool:
        return t.elementwise("trunc", x)
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
                raise Refused(f"{word(call)} mixes the rows of the batch with other dimensions")
            own = _fitting(size // ROWS if of_rows(size) else size, atom)
            if own is None:
                merged = _merged(atoms, atom, size)
                if merged is None:
                    raise Refused(f"{word(call)} mixes the rows of the batch with other dimensions")
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
        raise Refused(f"{word(call)} is not known to the kernels")
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
        raise Refused(f"{word(call)} picks some rows of the batch")
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
        raise Refused(f"{word(call)} takes steps that do not divide its dimension")
    node = t.graph.slice(node, dim, first, span)
    wide = t.graph.reshape(node, (*node.shape[:dim], count, step, *node.shape[dim + 1 :]))
    picked = t.graph.slice(wide, dim + 1, start % step, 1)
    return t.graph.reshape(picked, (*node.shape[:dim], count, *node.shape[dim + 1 :]))


@rule("select")
def _select(t: Translator, call: Call, x: Any, dim: int, index: int) -> Seen:
    seen = t.plain(x)
    dim %= seen.rank
    if BATCH in seen.groups[dim]:
        raise Refused(f"{word(call)} picks some rows of the batch")
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
        raise Refused(f"{word(call)} picks some rows of the batch")
    (atom,) = seen.groups[dim]
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    pieces = zip(starts, sizes, strict=True)
    return tuple(Seen(t.graph.slice(seen.node, atom, start, size), seen.groups) for start, size in pieces)


@rule("flip")
def _flip(t: Translator, call: Call, x: Any, dims: Sequence[int]) -> Seen:
    seen = t.plain(x)
    if any(BATCH in seen.groups[dim] for dim in dims):
        raise Refused(f"{word(call)} mixes the rows of the batch")
    atoms = tuple(sorted(seen.groups[dim % seen.rank][0] for dim in dims))
    return Seen(t.graph.node("flip", seen.node.shape, (seen.node,), seen.node.boolean, dims=atoms), seen.groups)


@rule("roll")
def _roll(t: Translator, call: Call, x: Any, shifts: Sequence[int], dims: Sequence[int] = ()) -> Seen:
    seen = t.plain(x)
    if not dims or any(BATCH in seen.groups[dim] for dim in dims):
        raise Refused(f"{word(call)} mixes the rows of the batch")
    node = seen.node
    for shift, dim in zip(shifts, dims, strict=True):
        (atom,) = seen.groups[dim]
        size = node.shape[atom]
        start = -shift % size
        if start:
            halves = t.graph.slice(node, atom, start, size - start), t.graph.slice(node, atom, 0, start)
            node = t.graph.node("cat", node.shape, halves, dim=atom)
    return Seen(node, seen.groups)


@rule("cat")
def _cat(t: Translator, call: Call, pieces: Sequence[Any], dim: int = 0) -> Seen:
    seen = [t.plain(each) for each in pieces]
    rank = max(each.rank for each in seen)
    dim %= rank
    pattern = next((each for each in seen if each.batch is not None), seen[0])
    if BATCH in pattern.groups[dim]:
        raise Refused(f"{word(call)} mixes the rows of the batch")
    (atom,) = pattern.groups[dim]
    nodes = []
    for each in seen:
        if each.groups != pattern.groups:
            raise Refused(f"{word(call)} mixes the rows of the batch")
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
    if value != 0:
        raise Refused(f"{word(call)} pads with something other than zeros")
    node = seen.node
    for i in range(0, len(widths), 2):
        group = seen.groups[seen.rank - 1 - i // 2]
        if BATCH in group:
            raise Refused(f"{word(call)} mixes the rows of the batch")
        before, after, dim = widths[i], widths[i + 1], group[0]
        kept = node.shape[dim] + min(before, 0) + min(after, 0)
        node = t.graph.slice(node, dim, max(-before, 0), kept)  # less than nothing around it cuts off
        node = t.graph.pad(node, dim, max(before, 0), kept + max(before, 0) + max(after, 0))
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
        raise Refused(f"{word(call)} is not known to the kernels")
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
