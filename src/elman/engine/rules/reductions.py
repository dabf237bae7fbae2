"""Totals, means, norms, softmax: over dimensions of a row; a sum over rows waits for the end of time."""

from collections.abc import Sequence
from math import prod
from typing import Any

from torch.fx import Node as Call

from elman.engine.translate import BATCH, Seen, Translator, name_of, rule, word
from elman.errors import Refused


@rule("linalg_vector_norm")
def _norm(
    t: Translator, call: Call, x: Any, order: float = 2, dims: Any = None, keepdim: bool = False, **_: Any
) -> Seen:
    seen = t.plain(x)
    dims = _dims(seen, dims)
    if order == 2:
        return t.elementwise("sqrt", _of_rows(t, call, "sum", t.elementwise("mul", seen, seen), dims, keepdim))
    if order not in (1, float("inf")):
        raise Refused(f"{word(call)} of order {order} is not known to the kernels")
    return _of_rows(t, call, "sum" if order == 1 else "amax", t.elementwise("abs", seen), dims, keepdim)


@rule("any", "all")
def _any(t: Translator, call: Call, x: Any, dims: Any = None, keepdim: bool = False) -> Seen:
    seen = t.plain(x)
    kind = "amax" if name_of(call) == "any" else "amin"
    reduced = _of_rows(t, call, kind, Seen(t.number(seen.node), seen.groups), _dims(seen, dims), keepdim)
    return t.elementwise("ne", reduced, 0.0)


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
    assert seen.batch is not None
    beside = [atom for atom in seen.groups[seen.batch] if atom != BATCH]
    atoms = sorted(beside + [seen.groups[dim][0] for dim in dims if dim != seen.batch])
    node = t.graph.reduce("sum", seen.node, atoms, keep=False)
    return t.summed(call, t.graph.node("contract", call.meta["val"].shape, (node,)))


@rule("amax", "amin")
def _extreme(t: Translator, call: Call, x: Any, dims: Any = None, keepdim: bool = False) -> Seen:
    seen = t.plain(x)
    return _of_rows(t, call, name_of(call), seen, _dims(seen, dims), keepdim)


def _of_rows(t: Translator, call: Call, kind: str, seen: Seen, dims: list[int], keep: bool) -> Seen:
    if seen.batch in dims:
        raise Refused(f"{word(call)} mixes the rows of the batch")
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
    if "std" in name_of(call):
        spread = t.elementwise("sqrt", spread)
    if not keepdim:
        mean, spread = _without(t, mean, dims), _without(t, spread, dims)
    return (spread, mean) if "mean" in name_of(call) else spread


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
        raise Refused(f"{word(call)} mixes the rows of the batch")
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
    if "log" in name_of(call):
        return t.elementwise("sub", away, t.elementwise("log", total))
    return t.elementwise("div", powers, total)


@rule("cumsum")
def _cumsum(t: Translator, call: Call, x: Any, dim: int, **_: Any) -> Seen:
    seen = t.plain(x)
    dim %= seen.rank
    if BATCH in seen.groups[dim]:
        raise Refused(f"{word(call)} mixes the rows of the batch")
    (atom,) = seen.groups[dim]
    return Seen(t.graph.node("cumulate", seen.node.shape, (seen.node,), dim=atom), seen.groups)
