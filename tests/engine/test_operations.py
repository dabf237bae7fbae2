"""Every line of the table in a kernel, against PyTorch, on numbers of all kinds: huge, tiny, infinite and none."""

from collections.abc import Callable
from ctypes import addressof
from functools import cache
from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.fx import Graph as Trace
from torch.fx import GraphModule

from elman.engine import Cell, State, scan, use_backend
from elman.engine.backends.llvm.brief import kernel_brief
from elman.engine.backends.llvm.program import Kernel
from elman.engine.backends.llvm.rows import rows
from elman.engine.backends.llvm.walk import Place, Walk
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
    return {name: found[:, i].contiguous() for i, name in enumerate(OPERATIONS)}


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
    kernel, order = Kernel(kernel_brief(phase, x.dtype), x.dtype), rows(1, len(x), None, None, False, False)
    result = torch.full((len(x), *output.shape), float("nan"), dtype=x.dtype)
    walk, share = Walk(1), order.share(1)
    tables = {"share": addressof(share), "onward": 1, "parts": 1, "first": 0, "last": 1}
    places = {("x", 0): Place("x"), ("output", 0): Place("output")}
    walk.add(kernel.loop, kernel.call(order.tables | walk.team | tables, places, []))
    walk.ready().run({"x": x, "output": result})
    return result


def by_pytorch(name: str, given: Tensor) -> Tensor:
    """The same, in f64: what f32 should come close to as well."""
    a, *more = given.double().unbind(1)[: arity(name)]
    if name == "where" or name.startswith("bitwise"):
        a = a != 0
    if name.startswith("bitwise"):
        more = [each != 0 for each in more]
    if name == "threshold_backward":
        return torch.where(more[0] <= more[1], torch.zeros_like(a), a)  # PyTorch's own takes a number there
    if name in ("fmod", "remainder"):  # PyTorch's own give NaN where divisors are the smallest numbers
        with np.errstate(invalid="ignore"):
            return torch.from_numpy(getattr(np, name)(a.numpy(), more[0].numpy())).to(given.dtype)
    return getattr(torch.ops.aten, name)(a, *more).to(given.dtype)


LAST_BITS = {"sqrt": 1, "rsqrt": 1, "leaky_relu": 1}
"""By how many last bits a result may differ: 4 for costly operations and none for cheap ones, where nothing is said.
PyTorch's own square root in f64 is off by one, and 0.01 is another number in f32."""
CANCELLING: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "addcmul": lambda a, b, c: a.abs() + (b * c).abs(),
    "addcdiv": lambda a, b, c: a.abs() + (b / c).abs(),
    "gelu": lambda a, b, c: a.abs(),
    "lerp": lambda a, b, c: a.abs() + (b.abs() + a.abs()) * c.abs(),
}
"""Sums that may cancel, so that last bits are those of what is added: kernels round once where PyTorch rounds twice."""
ENDS_EARLY = {"sigmoid"}
"""Operations that need not tell numbers apart that are smaller than the smallest one with all its bits."""


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("precision", DTYPES)
def test_gives_the_numbers_of_pytorch(name: str, precision: str) -> None:
    given = arguments(DTYPES[precision])
    bits = LAST_BITS.get(name, 4 if OPERATIONS[name].costly or name in CANCELLING else 0)
    ours, theirs = by_kernel(DTYPES[precision])[name], by_pytorch(name, given)
    size = CANCELLING.get(name, lambda *_: theirs.abs())(*given.double().unbind(1))
    if name in ENDS_EARLY:
        size = size + torch.finfo(ours.dtype).tiny / torch.finfo(ours.dtype).eps
    assert_near(ours, theirs, size.nan_to_num(0.0, posinf=float("inf")), bits, given)


def assert_near(ours: Tensor, theirs: Tensor, size: Tensor, bits: int, given: Tensor) -> None:
    """Both nothing, both infinite, or apart by no more than the last bits of a size."""
    facts = torch.finfo(ours.dtype)
    space = (size.double() + facts.tiny) * facts.eps * bits
    overflown = size.double() > facts.max  # what is added was too large by itself
    same = (
        overflown
        | (ours == theirs)
        | (ours.isnan() & theirs.isnan())
        | ((ours.double() - theirs.double()).abs() <= space)
    )
    wrong = (~same).nonzero()[:4].tolist()
    told = [f"{given[n, :, i].tolist()}: {ours[n, i]:.9g} instead of {theirs[n, i]:.9g}" for n, i in wrong]
    assert not wrong, f"{int((~same).sum())} wrong, as of " + "; ".join(told)


TRIPLED = cheap(lambda m, a: a * 3)


def test_a_line_is_all_that_a_new_operation_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OPERATIONS, "tripled", TRIPLED)
    x = Node("x", (5,), settings={"number": 0})
    graph = Graph()
    output = graph.elementwise("tanh", graph.elementwise("tripled", x))
    values = torch.randn(4, 5, dtype=torch.float64)
    torch.testing.assert_close(run(output, values), torch.tanh(3 * values), rtol=1e-14, atol=1e-14)


def test_every_line_says_what_it_gives() -> None:
    given = {True: Operation(lambda m, a: a > 0, boolean=True), False: TRIPLED}
    assert all(operation.boolean is kind for kind, operation in given.items())
    for name, operation in OPERATIONS.items():
        truth = name.startswith(("logical_", "bitwise_", "is")) or name in ("gt", "ge", "lt", "le", "eq", "ne")
        assert operation.boolean == truth, name


class Bounded(Cell):
    """Every kind of line in one step: arithmetic, choice, truth, exponentials, the library."""

    def __init__(self) -> None:
        super().__init__(4, 4)
        self.weight = torch.nn.Parameter(torch.randn(4, 4) / 2)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h = torch.tanh(x + state[0] @ self.weight)
        h = torch.where((x > 0) & ~torch.isnan(h), torch.sin(h), h.abs().clamp(0.1, 0.9) * torch.erf(x))
        return h, (h,)


def test_nothing_goes_through_a_cell() -> None:
    x = torch.randn(3, 2, 4, dtype=torch.float64)
    x[1, 0, 2] = float("nan")
    cell, results = Bounded().double(), {}
    for backend in ("llvm", "eager"):
        with use_backend(backend), torch.no_grad():
            results[backend], _ = scan(cell, x)
    torch.testing.assert_close(*results.values(), equal_nan=True)
    assert results["llvm"][1, 0].isnan().any()
    assert not results["llvm"][:, 1].isnan().any()


def test_zero_keeps_its_sign() -> None:
    for name in ("neg", "abs", "floor", "round", "sqrt", "sin", "atan"):
        given = arguments(torch.float32)
        where = (given[:, 0] == 0).nonzero()[:200]
        ours = by_kernel(torch.float32)[name][where[:, 0], where[:, 1]]
        theirs = by_pytorch(name, given)[where[:, 0], where[:, 1]]
        assert torch.equal(ours.signbit(), theirs.signbit()), name


@pytest.mark.parametrize("precision", DTYPES)
def test_the_same_bits_every_time(precision: str) -> None:
    first = by_kernel(DTYPES[precision])
    again = by_kernel.__wrapped__(DTYPES[precision])
    for name, values in first.items():
        assert values.view(torch.uint8).equal(again[name].contiguous().view(torch.uint8)), name
