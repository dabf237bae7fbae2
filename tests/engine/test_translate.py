"""From PyTorch's operations on a batch to the graph of one row: the layouts that come through, and what is refused.

Key: B batch.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.testing import assert_close

from elman.engine import Cell, State, scan, use_backend
from elman.engine.capture import capture
from elman.engine.graph import ordered
from elman.engine.step import Step, translate
from elman.engine.verify import verify_step
from elman.errors import Refused

SIZE = 6
Function = Callable[[Any, Tensor, Tensor], Tensor]


class One(Cell):
    """A step from a function of (cell, x, h), with h = W h_{t-1}, all of six units."""

    def __init__(self, function: Function) -> None:
        super().__init__(SIZE, SIZE)
        self.weight = nn.Parameter(torch.randn(SIZE, SIZE) / 2)
        self.bias = nn.Parameter(torch.randn(SIZE))
        self.function = function

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h = self.function(self, x, state[0] @ self.weight)
        return h, (h,)


def graph_of(function: Function) -> Step:
    torch.manual_seed(0)
    return translate(capture(One(function).double(), torch.float64), torch.float64)


@contextmanager
def refused(reason: str) -> Iterator[None]:
    with pytest.raises(Refused, match=reason) as refusal:
        yield
    assert "\n" not in str(refusal.value)


def stacked(cell: One, x: Tensor, h: Tensor) -> Tensor:
    return torch.stack([x[:, ::2], h[:, 1::2]], 2).flatten(1)


def heads(cell: One) -> Tensor:
    return cell.weight[:, :3].view(2, 3, 3)


def in_front(cell: One, x: Tensor, h: Tensor) -> Tensor:
    return torch.bmm(h.view(-1, 2, 3).transpose(0, 1), heads(cell)).transpose(0, 1).reshape(-1, 6)


def in_the_middle(cell: One, x: Tensor, h: Tensor) -> Tensor:
    return torch.einsum("bhi,hij->bhj", h.view(-1, 2, 3), heads(cell)).flatten(1)


def attended(cell: One, x: Tensor, h: Tensor) -> Tensor:
    scores = torch.bmm(h.view(-1, 2, 3), x.view(-1, 3, 2)).softmax(-1)
    return torch.bmm(scores, h.view(-1, 2, 3)).flatten(1)


LAYOUTS: dict[str, Function] = {
    "a view and back": lambda cell, x, h: (h.view(-1, 2, 3) * x.view(-1, 2, 3)).view(-1, 6),
    "heads in the batch": lambda cell, x, h: (h.view(-1, 3) @ cell.weight[:3, :3]).view(-1, 6),
    "heads in the batch, then a mean": lambda cell, x, h: F.layer_norm(h.reshape(-1, 2), (2,)).reshape(-1, 6),
    "heads in front": in_front,
    "the batch last": lambda cell, x, h: (cell.weight @ h.t()).t(),
    "the batch in the middle": in_the_middle,
    "an outer product": lambda cell, x, h: torch.einsum("bi,bj,bj->bi", h, x, h),
    "attention": attended,
    "transposed": lambda cell, x, h: h.view(-1, 2, 3).transpose(1, 2).reshape(-1, 6),
    "every other": stacked,
    "unsqueezed": lambda cell, x, h: (h.unsqueeze(1) * cell.weight.unsqueeze(0)).sum(2),
    "expanded": lambda cell, x, h: (h[:, :, None].expand(-1, -1, 6) * cell.weight).mean(1),
    "repeated": lambda cell, x, h: h * x[:, :1].repeat(1, 6),
    "flipped": lambda cell, x, h: h.flip(1) + x.view(-1, 2, 3).flip(2, 1).flatten(1),
    "split and joined": lambda cell, x, h: torch.cat([*h.split([1, 2, 3], 1)][::-1], 1),
    "chunks": lambda cell, x, h: torch.cat([a * b for a, b in zip(h.chunk(3, 1), x.chunk(3, 1), strict=True)], 1),
    "picked": lambda cell, x, h: h * h[:, 2:3] + x[:, 4].unsqueeze(1),
    "filled": lambda cell, x, h: h.masked_fill(x > 0, 0.5),
    "two dimensions reduced": lambda cell, x, h: h + x.view(-1, 2, 3).sum((1, 2))[:, None],
    "largest": lambda cell, x, h: h / (1 + h.abs().amax(1, keepdim=True)),
    "variance": lambda cell, x, h: (h - h.mean(1, keepdim=True)) / (h.var(1, keepdim=True) + 0.1).sqrt(),
    "norm": lambda cell, x, h: F.normalize(h, dim=1),
    "logsumexp": lambda cell, x, h: h - h.logsumexp(1, keepdim=True),
    "running sum": lambda cell, x, h: h.softmax(1).cumsum(1),
    "groups": lambda cell, x, h: F.group_norm(h, 3),
    "a row of a weight": lambda cell, x, h: h * cell.weight[2] + cell.bias,
    "a table": lambda cell, x, h: h + x.softmax(1) @ cell.weight.t(),
    "powers": lambda cell, x, h: torch.tanh(h**2 + h**3) - x.abs() ** 0.5,
    "numbers": lambda cell, x, h: 2 - h / 3 + torch.rsub(x, h, alpha=0.5) - torch.sub(x, h, alpha=2),
    "choice": lambda cell, x, h: torch.where(x > 0, h, 0.1 * h) * (x > 0) - (h > 0).to(h.dtype),
    "truth": lambda cell, x, h: torch.where((x > 0) & ~(h > 0) | (x < -1), h, x),
    "clamped": lambda cell, x, h: h.clamp(-0.5, 0.5) + x.clamp(min=0) + torch.clamp(h, max=0.1),
    "gelu": lambda cell, x, h: F.gelu(h) + F.gelu(x, approximate="tanh"),
    "ready-made": lambda cell, x, h: F.softplus(h) + F.mish(x) + F.elu(h) + F.silu(x) + F.hardtanh(h) + F.logsigmoid(x),
    "glu": lambda cell, x, h: F.glu(torch.cat([h, x], 1)),
}  # fmt: skip


@pytest.mark.parametrize("name", ["heads in the batch", "the batch last", "attention", "groups", "glu"])
def test_comes_through_as_a_graph_of_rows(name: str) -> None:
    step = graph_of(LAYOUTS[name])
    verify_step(step)
    assert step.output.shape == (SIZE,)
    assert {each: node.shape for each, node in step.gradients.items()} == {"x": (SIZE,), "state 0": (SIZE,)}


@pytest.mark.parametrize("name", LAYOUTS)
def test_gives_the_numbers_of_the_cell(name: str) -> None:
    torch.manual_seed(0)
    cell, results = One(LAYOUTS[name]).double(), []
    x = torch.randn(3, 2, SIZE, dtype=torch.float64, requires_grad=True)
    for backend in ("llvm", "eager"):
        with use_backend(backend):
            y, _ = scan(cell, x)
            wanted = [x, cell.weight, cell.bias]
            gradients = torch.autograd.grad(y.sin().sum(), wanted, allow_unused=True, materialize_grads=True)
            results.append((y, *gradients))
    assert_close(*results, rtol=1e-9, atol=1e-9)


MIXING: dict[str, Function] = {
    "mean": lambda cell, x, h: h - h.mean(0),
    "sum": lambda cell, x, h: h / (1 + h.sum(0, keepdim=True) ** 2),
    "amax": lambda cell, x, h: h - h.amax(0),
    "softmax": lambda cell, x, h: h.softmax(0),
    "cumsum": lambda cell, x, h: h.cumsum(0),
    "var": lambda cell, x, h: h - h.var(0),
    "slice": lambda cell, x, h: h + h[:1],
    "select": lambda cell, x, h: h + h[0],
    "flip": lambda cell, x, h: h.flip(0),
    "cat": lambda cell, x, h: torch.cat([h[:, :3].reshape(-1), h[:, 3:].reshape(-1)]).view(-1, 6),
    "mm": lambda cell, x, h: (h @ h.t()).softmax(1) @ x,
    "view": lambda cell, x, h: h.reshape(3, -1, 2).transpose(0, 1).reshape(-1, 6),
    "batch_norm": lambda cell, x, h: F.batch_norm(h, None, None, training=True),
}


@pytest.mark.parametrize("name", MIXING)
def test_what_mixes_rows_is_refused(name: str) -> None:
    with refused("rows|batch"):
        graph_of(MIXING[name])


UNKNOWN: dict[str, tuple[Function, str]] = {
    "prod": (lambda cell, x, h: h * x.prod(1, keepdim=True), "aten.prod"),
    "sort": (lambda cell, x, h: h.sort(1).values, "aten.sort"),
    "lgamma": (lambda cell, x, h: torch.lgamma(h), "aten.lgamma"),
    "another dtype": (lambda cell, x, h: h.float().double(), "torch.float32, where the input has torch.float64"),
    "complex": (lambda cell, x, h: torch.view_as_complex(h.view(-1, 3, 2)).abs().repeat(1, 2), "complex"),
    "a norm": (lambda cell, x, h: h / h.norm(3, dim=1, keepdim=True), "norm.* of order 3"),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_not_known_is_refused_by_name(name: str) -> None:
    function, reason = UNKNOWN[name]
    with refused(reason):
        graph_of(function)


def test_gradients_of_weights_are_sums_over_rows() -> None:
    step = graph_of(lambda cell, x, h: torch.tanh(h + cell.bias))
    assert sorted(node.shape for node in step.sums) == [(1, SIZE), (SIZE, SIZE)]
    assert all(node.op == "contract" for node in step.sums)
    assert not any(node.op == "contract" for node in ordered([step.output, *step.gradients.values()]))


def test_what_does_nothing_leaves_no_trace() -> None:
    plain = graph_of(lambda cell, x, h: torch.tanh(h + x))
    spelled = graph_of(
        lambda cell, x, h: torch.tanh((h.view(-1, 2, 3).flatten(1) + 0.0) * 1.0 + x.clone().contiguous())
    )
    assert str(plain) == str(spelled)


MENDED: dict[str, Function] = {
    "a mask, viewed": lambda cell, x, h: (h.view(-1, 2, 3) * (x > 0).view(-1, 2, 3)).flatten(1),
    "a mask, unsqueezed": lambda cell, x, h: (h.view(-1, 2, 3) * (x[:, :2] > 0).unsqueeze(-1)).flatten(1),
    "a mask, flipped": lambda cell, x, h: h + (x > 0).flip(1),
    "masks compared": lambda cell, x, h: h * ((x > 0) == (h > 0)),
    "padded": lambda cell, x, h: F.pad(h[:, 1:5], (1, 1)) + F.pad(x[:, :2], (4, 0)),
    "addcmul": lambda cell, x, h: torch.addcmul(h, x, h, value=0.3) - torch.addcdiv(h, x, h * h + 1, value=2),
    "rounded": lambda cell, x, h: torch.round(h, decimals=1) + x,
}


@pytest.mark.parametrize("name", MENDED)
def test_comes_through(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LAYOUTS, name, MENDED[name])
    test_gives_the_numbers_of_the_cell(name)
