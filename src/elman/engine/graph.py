"""The engine's own picture of one step: every value seen from a single row of the batch.

A value either has one entry for each row, of which only the shape is kept, or is the same for all rows: weights, and
what PyTorch computes from them once a call. What is summed up over rows, such as the gradient of a weight, is a
`contract`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import prod
from typing import Any

Shape = tuple[int, ...]

LEAVES = ("x", "state", "context", "draw", "output_gradient", "state_gradient", "weight", "constant")
VIEWS = ("reshape", "permute", "slice", "expand", "flip")
NEUTRAL = {"add": 0.0, "sub": 0.0, "mul": 1.0, "div": 1.0}
SHARED = ("weight", "constant", "contract")


@dataclass(eq=False, repr=False)
class Node:
    """One value of the step.

    Args:
        op: What makes it: a leaf, a view, `cat`, `pad`, `product`, `reduce`, `cumulate`, `contract`, or the name of an
            elementwise operation.
        shape: Of one row's entry, or of the whole where all rows share it.
        inputs: What it is made from; those of an elementwise operation have its rank, and sizes of one where they
            are repeated.
        settings: What else the operation needs to know.
        boolean: Holds truth values.
    """

    op: str
    shape: Shape
    inputs: tuple["Node", ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    boolean: bool = False

    def __repr__(self) -> str:
        return f"{self.op}{list(self.shape)}"

    @property
    def size(self) -> int:
        """Numbers in one entry."""
        return prod(self.shape)

    @property
    def shared(self) -> bool:
        """Is it the same for all rows?"""
        return self.op in SHARED or (self.op in VIEWS and self.inputs[0].shared)


class Graph:
    """Makes nodes, the same one for the same question, and leaves out what does nothing."""

    def __init__(self) -> None:
        self._made: dict[Any, Node] = {}

    def node(
        self, op: str, shape: Iterable[int], inputs: Iterable[Node] = (), boolean: bool = False, **settings: Any
    ) -> Node:
        """The node of an operation, made at the first call."""
        shape, inputs = tuple(shape), tuple(inputs)
        if op in VIEWS and inputs[0].shape == shape and op in ("reshape", "expand", "slice"):
            return inputs[0]
        if op == "reshape" and inputs[0].op == "reshape":
            return self.node("reshape", shape, inputs[0].inputs, boolean)
        key = (op, shape, inputs, boolean, tuple(sorted((k, _hashable(v)) for k, v in settings.items())))
        if key not in self._made:
            self._made[key] = Node(op, shape, inputs, settings, boolean)
        return self._made[key]

    def nodes(self) -> list[Node]:
        """All that were made, first made first."""
        return list(self._made.values())

    def constant(self, value: float | bool) -> Node:
        """A number; every row's, of no dimension."""
        return self.node("constant", (), value=float(value), boolean=isinstance(value, bool))

    def reshape(self, node: Node, shape: Iterable[int]) -> Node:
        """The same numbers in the same order in another shape."""
        return self.node("reshape", shape, (node,), boolean=node.boolean)

    def expand(self, node: Node, shape: Iterable[int]) -> Node:
        """Dimensions of size one, or none, repeated."""
        shape = tuple(shape)
        node = self.reshape(node, (1,) * (len(shape) - len(node.shape)) + node.shape)
        return self.node("expand", shape, (node,), boolean=node.boolean)

    def permute(self, node: Node, order: Iterable[int]) -> Node:
        """Dimensions in another order."""
        order = tuple(order)
        if order == tuple(range(len(order))):
            return node
        return self.node("permute", (node.shape[i] for i in order), (node,), boolean=node.boolean, order=order)

    def slice(self, node: Node, dim: int, start: int, size: int) -> Node:
        """A stretch of one dimension."""
        shape = (*node.shape[:dim], size, *node.shape[dim + 1 :])
        return self.node("slice", shape, (node,), boolean=node.boolean, dim=dim, start=start)

    def pad(self, node: Node, dim: int, before: int, size: int) -> Node:
        """Zeros around one dimension, so that it has `size`."""
        if node.shape[dim] == size:
            return node
        shape = (*node.shape[:dim], size, *node.shape[dim + 1 :])
        return self.node("pad", shape, (node,), dim=dim, before=before)

    def elementwise(self, op: str, *inputs: Node, boolean: bool = False, **settings: Any) -> Node:
        """An operation on numbers, its arguments spread to one shape first; one that changes nothing is left out."""
        if op in NEUTRAL and _number(inputs[1]) == NEUTRAL[op]:
            return self._widened(inputs[0], inputs[1])
        if op in ("add", "mul") and _number(inputs[0]) == NEUTRAL[op]:
            return self._widened(inputs[1], inputs[0])
        rank = max(len(node.shape) for node in inputs)
        inputs = tuple(self.reshape(node, (1,) * (rank - len(node.shape)) + node.shape) for node in inputs)
        sizes = zip(*(node.shape for node in inputs), strict=True)
        shape = tuple(next((size for size in each if size != 1), 1) for each in sizes)
        return self.node(op, shape, inputs, boolean, **settings)

    def _widened(self, node: Node, other: Node) -> Node:
        """The node with the rank, and in the shape, that an operation with the other one would have."""
        rank = max(len(node.shape), len(other.shape))
        shapes = [(1,) * (rank - len(each.shape)) + each.shape for each in (node, other)]
        node = self.reshape(node, shapes[0])
        return self.expand(node, [max(sizes) for sizes in zip(*shapes, strict=True)])

    def product(self, rows: Node, weight: Node) -> Node:
        """(..., K) of a row times (..., K, N) of all rows; leading dimensions of size one do not count."""
        *lead, length = rows.shape
        kept = [i for i, size in enumerate(lead) if size != 1]
        inner = tuple(lead[i] for i in kept)
        rows = self.reshape(rows, (*inner, length))
        weight = self.reshape(weight, (*(weight.shape[i] for i in kept), *weight.shape[-2:]))
        width = weight.shape[-1]
        return self.reshape(self.node("product", (*inner, width), (rows, weight)), (*lead, width))

    def reduce(self, kind: str, node: Node, dims: Iterable[int], keep: bool = False) -> Node:
        """Sum, maximum or minimum over dimensions of a row."""
        dims = tuple(sorted({dim % max(len(node.shape), 1) for dim in dims}))
        kept = tuple(1 if i in dims else size for i, size in enumerate(node.shape))
        gone = tuple(size for i, size in enumerate(node.shape) if i not in dims)
        dims = tuple(i for i in dims if node.shape[i] != 1)
        result = self.node("reduce", kept, (node,), kind=kind, dims=dims) if dims else node
        return result if keep else self.reshape(result, gone)


def _number(node: Node) -> float | None:
    """The number that a node is everywhere, if it is a constant."""
    while node.op in VIEWS:
        node = node.inputs[0]
    return node.settings["value"] if node.op == "constant" and not node.boolean else None


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def ordered(roots: Iterable[Node]) -> list[Node]:
    """The roots and all that they are made from, inputs first."""
    return list(_walk(list(roots)))


def _walk(roots: list[Node]) -> Iterator[Node]:
    seen: set[Node] = set()
    stack = [(root, False) for root in reversed(roots)]
    while stack:
        node, entered = stack.pop()
        if entered:
            yield node
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((each, False) for each in reversed(node.inputs) if each not in seen)


def described(roots: dict[str, Node]) -> str:
    """One line a node, for people."""
    names: dict[Node, str] = {}
    lines = []
    for node in ordered(roots.values()):
        names[node] = f"%{len(names)}"
        settings = ", ".join(f"{k}={v}" for k, v in node.settings.items() if k != "source")
        inputs = ", ".join(names[each] for each in node.inputs)
        inside = ", ".join(each for each in (inputs, settings) if each)
        lines.append(f"{names[node]:>5} = {node.op}({inside})  {list(node.shape)}")
    return "\n".join(lines + [f"{name}: {names[node]}" for name, node in roots.items()])
