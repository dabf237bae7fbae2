"""The graph of a row: nodes are shared, what does nothing is left out, and shapes are PyTorch's."""

import random
from collections.abc import Sequence
from itertools import product

import pytest
import torch
from torch import Tensor

from elman.engine.affine import Affine, counter
from elman.engine.graph import Graph, Node, described, ordered
from elman.engine.nest import Body, Buffer, Divide, Memory, NeedsBuffer
from elman.engine.verify import FITS

SEEDS = range(150)


def leaf(*shape: int) -> Node:
    return Node("x", shape, settings={"number": 0})


# what a graph makes


def test_the_same_question_has_the_same_answer() -> None:
    graph, x = Graph(), leaf(2, 3)
    assert graph.elementwise("tanh", x) is graph.elementwise("tanh", x)
    assert graph.permute(x, [1, 0]) is graph.permute(x, (1, 0))
    assert graph.slice(x, 1, 0, 2) is not graph.slice(x, 1, 1, 2)
    assert graph.constant(1.0) is graph.constant(1)
    assert graph.constant(True) is not graph.constant(1.0)


def test_what_does_nothing_is_left_out() -> None:
    graph, x = Graph(), leaf(2, 3)
    assert graph.reshape(x, (2, 3)) is x
    assert graph.expand(x, (2, 3)) is x
    assert graph.permute(x, (0, 1)) is x
    assert graph.slice(x, 1, 0, 3) is x
    assert graph.pad(x, 1, 0, 3) is x
    assert graph.reshape(graph.reshape(x, (6,)), (2, 3)) is x
    assert graph.reduce("sum", leaf(2, 1), [1], keep=True).op == "x"


@pytest.mark.parametrize(("op", "number"), [("add", 0.0), ("sub", 0.0), ("mul", 1.0), ("div", 1.0)])
def test_neutral_numbers_are_left_out(op: str, number: float) -> None:
    graph, x = Graph(), leaf(2, 3)
    assert graph.elementwise(op, x, graph.constant(number)) is x
    assert graph.elementwise(op, x, graph.expand(graph.constant(number), (4, 2, 3))).shape == (4, 2, 3)
    other = graph.elementwise(op, graph.constant(number), x)
    assert (other is x) == (op in ("add", "mul"))


@pytest.mark.parametrize(
    ("shapes", "result"),
    [([(3,), (3,)], (3,)), ([(2, 3), (3,)], (2, 3)), ([(2, 1), (1, 3)], (2, 3)), ([(4, 1, 3), (2, 1)], (4, 2, 3))],
)
def test_elementwise_spreads_as_pytorch_does(shapes: list[tuple[int, ...]], result: tuple[int, ...]) -> None:
    node = Graph().elementwise("atan2", *(leaf(*shape) for shape in shapes))
    assert node.shape == result == torch.broadcast_shapes(*shapes)
    assert all(len(each.shape) == len(result) for each in node.inputs)


def test_what_all_rows_share() -> None:
    graph = Graph()
    weight = graph.node("weight", (2, 3), source=None)
    assert graph.permute(graph.reshape(weight, (3, 2)), (1, 0)).shared
    assert graph.expand(graph.constant(1.0), (2, 3)).shared
    assert not leaf(2).shared
    assert not graph.elementwise("mul", weight, leaf(2, 3)).shared


def test_inputs_come_before_what_is_made_from_them() -> None:
    graph, x = Graph(), leaf(3)
    a = graph.elementwise("tanh", x)
    b = graph.elementwise("mul", a, x)
    assert ordered([b, a]) == [x, a, b]
    assert described({"output": b}).splitlines() == [
        "   %0 = x(number=0)  [3]",
        "   %1 = tanh(%0)  [3]",
        "   %2 = mul(%1, %0)  [3]",
        "output: %2",
    ]


# views, against PyTorch's own: a chain of them is walked through index by index


class Chain:
    """Random views of one value, in the graph and in PyTorch."""

    def __init__(self, seed: int) -> None:
        self.draw, self.graph = random.Random(seed), Graph()
        shape = [self.draw.choice([1, 2, 3, 4, 6]) for _ in range(self.draw.randint(1, 3))]
        self.node = self.leaf = leaf(*shape)
        self.values = torch.arange(float(self.leaf.size)).view(shape) + 1
        self.start = self.values
        for _ in range(self.draw.randint(1, 5)):
            getattr(self, self.draw.choice(["reshape", "permute", "slice", "expand", "flip", "cat", "pad"]))()
            assert self.node.shape == tuple(self.values.shape)
            rule = FITS.get(self.node.op)
            assert rule is None or rule(self.node, *(each.shape for each in self.node.inputs))

    def dim(self) -> int:
        return self.draw.randrange(self.values.dim())

    def reshape(self) -> None:
        left, shape = self.values.numel(), []
        while left > 1 and len(shape) < 3:
            shape.append(self.draw.choice([size for size in range(1, left + 1) if left % size == 0]))
            left //= shape[-1]
        shape = [*shape, left] if left > 1 or not shape else shape
        self.node, self.values = self.graph.reshape(self.node, shape), self.values.reshape(shape)

    def permute(self) -> None:
        order = self.draw.sample(range(self.values.dim()), self.values.dim())
        self.node, self.values = self.graph.permute(self.node, order), self.values.permute(order)

    def slice(self) -> None:
        dim = self.dim()
        size = self.draw.randint(1, self.values.shape[dim])
        start = self.draw.randint(0, self.values.shape[dim] - size)
        self.node, self.values = self.graph.slice(self.node, dim, start, size), self.values.narrow(dim, start, size)

    def expand(self) -> None:
        if self.values.numel() > 100:
            return
        shape = [self.draw.choice([2, 3]) if size == 1 else size for size in self.values.shape]
        shape = [2, *shape] if self.draw.random() < 0.3 else shape
        self.node, self.values = self.graph.expand(self.node, shape), self.values.expand(shape)

    def flip(self) -> None:
        dim = self.dim()
        self.node = self.graph.node("flip", self.node.shape, (self.node,), dims=(dim,))
        self.values = self.values.flip(dim)

    def cat(self) -> None:
        dim = self.dim()
        shape = list(self.values.shape)
        shape[dim] *= 2
        other = self.graph.elementwise("neg", self.node)
        self.node = self.graph.node("cat", shape, (self.node, other), dim=dim)
        self.values = torch.cat([self.values, -self.values], dim)

    def pad(self) -> None:
        dim, before, after = self.dim(), self.draw.randint(0, 2), self.draw.randint(0, 2)
        size = before + self.values.shape[dim] + after
        widths = [0, 0] * (self.values.dim() - 1 - dim) + [before, after]
        self.node = self.graph.pad(self.node, dim, before, size)
        self.values = torch.nn.functional.pad(self.values, widths)


def walked(node: Node, memory: dict[Node, tuple[Buffer, Tensor]]) -> Tensor:
    """A value by loops: its body is made for each region of entries that needs one, and then followed line by line."""
    result = torch.full(node.shape, float("nan"))
    pending: list[tuple[Sequence[int], Sequence[int]]] = [((0,) * len(node.shape), node.shape)]
    while pending:
        start, extents = pending.pop()
        body = Body(tuple(extents), Memory({each: buffer for each, (buffer, _) in memory.items()}))
        try:
            last = body.value(node, tuple(counter(i) + first for i, first in enumerate(start)))
        except Divide as cut:
            for first, size in ((0, cut.at), (cut.at, extents[cut.loop] - cut.at)):
                moved = [each + (first if i == cut.loop else 0) for i, each in enumerate(start)]
                pending.append((moved, [size if i == cut.loop else each for i, each in enumerate(extents)]))
            continue
        for counters in product(*map(range, extents)):
            place = tuple(a + b for a, b in zip(start, counters, strict=True))
            assert result[place].isnan(), "an entry is made twice"
            result[place] = followed(body, last, counters, dict(memory.values()))
    return result


def followed(body: Body, last: int, counters: Sequence[int], held: dict[Buffer, Tensor]) -> float:
    """The value of a line at one turn of the loops."""
    values: list[float] = []
    for line in body.lines:
        if line.kind == "constant":
            values.append(line.value)
        elif line.kind == "load":
            assert line.buffer is not None
            values.append(held[line.buffer].flatten()[at(line.place, counters)].item())
        else:
            assert (line.kind, line.name) == ("operation", "neg")
            values.append(-values[line.inputs[0]])
    return values[last]


def at(place: Affine, counters: Sequence[int]) -> int:
    flat = place.start + sum(step * counters[loop] for loop, step in place.steps)
    assert flat >= 0, "a negative place would be read from the end"
    return flat


@pytest.mark.parametrize("seed", SEEDS)
def test_a_chain_of_views_shows_what_pytorch_shows(seed: int) -> None:
    chain = Chain(seed)
    memory = {chain.leaf: (Buffer("x", 0, "time", chain.leaf.size), chain.start)}
    for number in range(10):
        try:
            found = walked(chain.node, memory)
            break
        except NeedsBuffer as needed:  # as the planner does: what cannot be walked evenly is stored first
            node = needed.node
            while node.op == "reshape":
                node = node.inputs[0]
            assert node not in memory
            stored = walked(node, memory) if node.op == "cat" else evaluated(node, chain)
            memory[node] = (Buffer("value", number, "scratch", node.size), stored)
    else:
        pytest.fail("the same values are asked for again and again")
    assert torch.equal(found, chain.values)


def evaluated(node: Node, chain: Chain) -> Tensor:
    """A value by PyTorch, from the graph."""
    if node is chain.leaf:
        return chain.start
    inputs = [evaluated(each, chain) for each in node.inputs]
    settings = node.settings
    if node.op == "slice":
        return inputs[0].narrow(settings["dim"], settings["start"], node.shape[settings["dim"]])
    if node.op == "pad":
        dim, before = settings["dim"], settings["before"]
        result = torch.zeros(node.shape)
        result.narrow(dim, before, inputs[0].shape[dim]).copy_(inputs[0])
        return result
    rules = {
        "reshape": lambda: inputs[0].reshape(node.shape),
        "permute": lambda: inputs[0].permute(settings["order"]),
        "expand": lambda: inputs[0].expand(node.shape),
        "flip": lambda: inputs[0].flip(settings["dims"]),
        "cat": lambda: torch.cat(inputs, settings["dim"]),
        "neg": lambda: -inputs[0],
    }
    return rules[node.op]()


def test_a_chain_of_views_is_mostly_walked_without_memory_of_its_own() -> None:
    alone = 0
    for seed in SEEDS:
        chain = Chain(seed)
        try:
            walked(chain.node, {chain.leaf: (Buffer("x", 0, "time", chain.leaf.size), chain.start)})
            alone += 1
        except NeedsBuffer:
            pass
    assert alone > 0.6 * len(SEEDS)
