"""One step as PyTorch's own operations: what is cut off, what is drawn, what is refused."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close
from torch.utils._pytree import tree_leaves

from elman.engine import Cell, State
from elman.engine.backends.base import Sequence
from elman.engine.backends.llvm.backend import prepared
from elman.engine.capture import ROWS, Captured, Draw, capture
from elman.engine.traced import TracedCell
from elman.errors import Refused

from .cells.minimal_gated_unit import MinimalGatedUnit
from .cells.weight_normalised import WeightNormalised

ATEN = torch.ops.aten


class Step(Cell):
    """A step from a function of (cell, x, h)."""

    def __init__(self, function: Callable[[Any, Tensor, Tensor], Tensor], size: int = 4) -> None:
        super().__init__(size, size)
        self.weight = nn.Parameter(torch.randn(size, size) / 2)
        self.function = function

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h = self.function(self, x, state[0] @ self.weight)
        return h, (h,)


def targets(captured: Captured, part: str = "step") -> list[str]:
    graph = getattr(captured, part).graph
    return [str(node.target).removeprefix("aten.") for node in graph.nodes if node.op == "call_function"]


def traced_once(cell: Cell, captured: Captured, x: Tensor, state: State, draws: State = ()) -> tuple[Tensor, State]:
    """The step of the trace, for a batch of another size than that of the trace."""
    weights = prepared(captured.names, captured.prelude.forward, cell, Sequence(x=x, state=None))
    return TracedCell(cell, captured, weights, state)(x, state, draws)


def test_what_depends_on_weights_alone_is_the_prelude() -> None:
    captured = capture(WeightNormalised(3, 5), torch.float32)
    assert any("norm" in each or "pow" in each or "sum" in each for each in targets(captured, "prelude"))
    assert not any("norm" in each or "div" in each for each in targets(captured))
    assert captured.learned == (True,) * len(captured.learned)


def test_a_trace_is_the_step() -> None:
    cell = MinimalGatedUnit(3, 5).double()
    captured = capture(cell, torch.float64)
    x, state = torch.randn(2, 3, dtype=torch.float64), (torch.randn(2, 5, dtype=torch.float64),)
    assert_close(traced_once(cell, captured, x, state), cell(x, state))


def test_the_way_back_is_autograd() -> None:
    cell = MinimalGatedUnit(3, 5).double()
    captured = capture(cell, torch.float64)
    numbers = {"dtype": torch.float64, "requires_grad": True}
    x, h = torch.randn(2, 3, **numbers), torch.randn(2, 5, **numbers)
    weights = prepared(captured.names, captured.prelude.forward, cell, Sequence(x=x[None], state=None))
    after = captured.step.forward(*weights, x, h)
    gradients = [torch.randn_like(each) for each in after]
    inputs = [each.detach() for each in (*weights, x, h)]
    ours = tree_leaves(captured.way_back.forward(inputs, gradients))
    wanted = [*weights, x, h]
    theirs = torch.autograd.grad(after, wanted, gradients)
    assert_close(tuple(ours[: len(after)]), tuple(after))
    assert_close(tuple(ours[len(after) :]), theirs)


def test_no_operation_is_in_place() -> None:
    def step(cell: Step, x: Tensor, h: Tensor) -> Tensor:
        h = h.clone()
        h[:, :2] = x[:, :2]
        h.mul_(2).add_(x)
        h[:, 3].zero_()
        return h

    cell = Step(step).double()
    captured = capture(cell, torch.float64)
    for part in ("step", "way_back"):
        for node in getattr(captured, part).graph.nodes:
            assert not getattr(getattr(node.target, "_schema", None), "is_mutable", False), node
    x, state = torch.randn(3, 4, dtype=torch.float64), (torch.randn(3, 4, dtype=torch.float64),)
    assert_close(traced_once(cell, captured, x, state), cell(x, state))


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        (lambda cell, x, h: h * torch.rand_like(x), "uniform"),
        (lambda cell, x, h: h + torch.randn_like(h), "normal"),
        (lambda cell, x, h: h * torch.rand(x.shape[0], 4), "uniform"),
        (lambda cell, x, h: nn.functional.dropout(h, 0.5), "uniform"),
        (lambda cell, x, h: h * torch.bernoulli(torch.sigmoid(x)), "uniform"),
    ],
    ids=["rand_like", "randn_like", "rand", "dropout", "bernoulli"],
)
def test_what_is_drawn_becomes_an_input(function: Callable[[Any, Tensor, Tensor], Tensor], kind: str) -> None:
    captured = capture(Step(function), torch.float32)
    assert captured.draws == (Draw(kind, (4,)),)
    assert not any(each.startswith(("rand", "bernoulli", "native_dropout")) for each in targets(captured, "way_back"))


def test_dropout_is_one_or_nothing_by_the_draw() -> None:
    cell = Step(lambda cell, x, h: nn.functional.dropout(x, 0.25))
    captured = capture(cell, torch.float32)
    draw = torch.tensor([[0.0, 0.74, 0.76, 0.99]])
    output, _ = traced_once(cell, captured, torch.ones(1, 4), (torch.zeros(1, 4),), (draw,))
    assert_close(output, torch.tensor([[1.0, 1.0, 0.0, 0.0]]) / 0.75)


def test_the_module_is_left_as_it_was() -> None:
    def step(cell: Step, x: Tensor, h: Tensor) -> Tensor:
        cell.seen = h
        return h

    cell = Step(step)
    before = dict(vars(cell))
    with pytest.raises(Refused, match=r"writes to self\.seen"):
        capture(cell, torch.float32)
    assert vars(cell) == before


class Function(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        return value * 1

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return 3 * gradients[0]


def hurries(cell: Step, x: Tensor, h: Tensor) -> Tensor:
    while h.abs().max() > 1:
        h = h / 2
    return h


REFUSALS: dict[str, tuple[Callable[[Any, Tensor, Tensor], Any], str]] = {
    "an if": (lambda cell, x, h: h if h.sum() > 0 else x, "data-dependent"),
    "a loop": (hurries, "data-dependent"),
    "a number": (lambda cell, x, h: h * x[0, 0].item(), "data-dependent"),
    "a choice of rows": (lambda cell, x, h: h[x[:, 0] > 0], "data-dependent|Dynamic"),
    "a function": (lambda cell, x, h: Function.apply(h), "autograd.Function"),
    "a mistake": (lambda cell, x, h: torch.cat([h, h[:, :, None]]), "tracing the step failed with"),
    "its input": (lambda cell, x, h: x.add_(1) + h, "changes its input or state in place"),
    "multinomial": (lambda cell, x, h: h + torch.multinomial(x.softmax(1), 1), "multinomial.* cannot be drawn ahead"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refuses_with_a_reason_on_one_line(name: str) -> None:
    function, reason = REFUSALS[name]
    with pytest.raises(Refused, match=reason) as refusal:
        capture(Step(function), torch.float32)
    assert "\n" not in str(refusal.value)


def test_a_buffer_that_changes_is_named() -> None:
    cell = Step(lambda cell, x, h: h * cell.count.add_(1))
    cell.register_buffer("count", torch.zeros(()))
    with pytest.raises(Refused, match="the buffer 'count' in place"):
        capture(cell, torch.float32)


def test_the_batch_is_a_prime_that_no_width_has() -> None:
    assert all(ROWS % divisor for divisor in range(2, 1001))
    assert ROWS > 1_000_000


def test_a_capture_can_be_printed() -> None:
    text = str(capture(MinimalGatedUnit(3, 5), torch.float32))
    assert [line for line in text.splitlines() if line in ("prelude", "step", "way back")] == [
        "prelude",
        "step",
        "way back",
    ]
    assert "aten.sigmoid" in text
