"""Every line of the table in a kernel, against PyTorch, on numbers of all kinds: huge, tiny, infinite and none."""

from collections.abc import Callable
from functools import cache
from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.fx import Graph as Trace
from torch.fx import GraphModule

from elman.engine import Cell, State, scan, use_backend
from elman.engine.backends.llvm import team
from elman.engine.backends.llvm.program import Kernel
from elman.engine.backends.llvm.rows import rows
from elman.engine.graph import Graph, Node
from elman.engine.operations import OPERATIONS, Operation, cheap
from elman.engine.plan import plan
from elman.engine.step import Step

WIDTH = 16
NUMBERS = [
    0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, -2.5, 2.0, 3.7, -3.7, 1e-3, -1e-5, 1e-20, 10.0, -10.0, 20.5, 88.5, -90.0,
    -103.5, 300.0, -700.0, 709.5, -745.0, 1e8, -1e15, float("inf"), float("-inf"), float("nan"),
]  # fmt: skip
DTYPES = {"f32": torch.float32, "f64": torch.float64}


def numbers(dtype: torch.dtype) -> list[float]:
    """The numbers, and the ends of what a dtype can hold."""
    facts = torch.finfo(dtype)
    ends = [facts.max, -facts.max, facts.tiny, -facts.tiny, facts.tiny / 4, -facts.tiny / 8, facts.eps, -facts.eps / 3]
    return [*NUMBERS, *ends]


@cache
def arguments(dtype: torch.dtype) -> Tensor:
    """Three arguments a row, (rows, 3, WIDTH): every pair of numbers, with some third one."""
    pairs = list(product(numbers(dtype), repeat=2))
    pairs += [(0.0, 0.0)] * (-len(pairs) % WIDTH)
    generator = torch.Generator().manual_seed(0)
    third = torch.randn(len(pairs), generator=generator, dtype=torch.float64)
    a, b = torch.tensor(pairs, dtype=torch.float64).unbind(1)
    return torch.stack([each.view(-1, WIDTH) for each in (a, b, third)], 1).to(dtype).contiguous()


def arity(name: str) -> int:
    """How many arguments an operation takes here; those with a default keep it."""
    code = OPERATIONS[name].spell
    return code.__code__.co_argcount - 1 - len(code.__defaults__ or ())  # pyright: ignore


@cache
def by_kernel(dtype: torch.dtype) -> dict[str, Tensor]:
    """All operations in one kernel."""
    graph = Graph()
    x = Node("x", (3, WIDTH), settings={"number": 0})
    given = [graph.reshape(graph.slice(x, 0, i, 1), (WIDTH,)) for i in range(3)]
    results = [result_of(graph, name, given) for name in OPERATIONS]
    output = graph.node("cat", (len(results) * WIDTH,), results, dim=0)
    found = run(output, arguments(dtype)).view(-1, len(results), WIDTH)
    return {name: found[:, i] for i, name in enumerate(OPERATIONS)}


def result_of(graph: Graph, name: str, given: list[Node]) -> Node:
    given = given[: arity(name)]
    if name == "where":
        given = [graph.elementwise("ne", given[0], graph.constant(0.0), boolean=True), *given[1:]]
    node = graph.elementwise(name, *given, boolean=OPERATIONS[name].boolean)
    if not node.boolean:
        return node
    return graph.elementwise("where", node, graph.constant(1.0), graph.constant(0.0))


def run(output: Node, x: Tensor) -> Tensor:
    """What a kernel makes of x (B, ...)."""
    nothing = GraphModule(torch.nn.Module(), Trace())
    phase = plan(Step(Graph(), output, (), {}, (), (), nothing, nothing)).inference
    kernel, order = Kernel(phase, x.dtype), rows(1, len(x), None, None, False, False)
    result = torch.full((len(x), *output.shape), float("nan"), dtype=x.dtype)
    words = order.tables | {"share": order.share(1), "onward": 1, "parts": 1, "first": 0, "last": 1}
    pointers = {("x", 0): x.data_ptr(), ("output", 0): result.data_ptr()}
    team.run(kernel.loop, kernel.call(words, pointers, []), 1)
    return result


def by_pytorch(name: str, dtype: torch.dtype) -> Tensor:
    a, *more = arguments(dtype).unbind(1)[: arity(name)]
    if name == "where" or name.startswith("bitwise"):
        a = a != 0
    if name.startswith("bitwise"):
        more = [each != 0 for each in more]
    if name == "threshold_backward":
        return torch.where(more[0] <= more[1], torch.zeros_like(a), a)  # PyTorch's own takes a number there
    return getattr(torch.ops.aten, name)(a, *more).to(dtype)


LAST_BITS = {"exp": 2, "tanh": 4, "sigmoid": 4}
"""How many last bits a result may be off; 4 where nothing is said. Of all others it may be none."""
LOOSE: dict[str, Callable[[Tensor], Tensor]] = {}


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("precision", DTYPES)
def test_gives_the_numbers_of_pytorch(name: str, precision: str) -> None:
    dtype = DTYPES[precision]
    ours, theirs = by_kernel(dtype)[name], by_pytorch(name, dtype)
    assert_near(ours, theirs, arguments(dtype), bits=4 if OPERATIONS[name].costly else 0)


def assert_near(ours: Tensor, theirs: Tensor, given: Tensor, bits: int) -> None:
    """Both nothing, both infinite, or apart by so many last bits at most."""
    facts = torch.finfo(ours.dtype)
    space = torch.maximum(theirs.abs() * facts.eps, torch.tensor(facts.tiny * facts.eps))
    same = (ours == theirs) | (ours.isnan() & theirs.isnan()) | ((ours - theirs).abs() <= bits * space)
    wrong = (~same).nonzero()[:4].tolist()
    told = [f"{given[n, :, i].tolist()}: {ours[n, i]:.9g} instead of {theirs[n, i]:.9g}" for n, i in wrong]
    assert not wrong, f"{int((~same).sum())} wrong, as of " + "; ".join(told)
