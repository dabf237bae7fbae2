"""Matrix products: rows times weights, rows times rows, and sums over rows."""

from typing import Any

from torch.fx import Node as Call

from elman.engine.graph import Node
from elman.engine.translate import BATCH, Seen, Translator, rule, word
from elman.errors import Refused


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
        raise Refused(f"{word(call)} mixes the rows of the batch")
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
        raise Refused(f"{word(call)} mixes the rows of the batch")
    between = len(a.node.shape) - 2
    left = t.graph.permute(a.node, (0, *range(2, 2 + between), 1))
    shape = call.meta["val"].shape
    return t.graph.node("contract", shape, (left, b.node))
