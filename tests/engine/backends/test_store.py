"""Briefs on disk: a later process neither traces nor plans, and never believes what is old or damaged."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

import elman
from elman.engine import Cell, State, lower, scan, use_backend
from elman.engine.backends.llvm import LLVM, cache, store
from elman.engine.dispatch import BACKENDS
from elman.layers import LSTMCell


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))
    return tmp_path


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch) -> list[Cell]:
    """Cells that were traced, and not read from disk."""
    cells: list[Cell] = []
    capture = lower.capture

    def counted(cell: Cell, *rest: Any) -> Any:
        cells.append(cell)
        return capture(cell, *rest)

    monkeypatch.setattr(lower, "capture", counted)
    return cells


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Forget all programs, as a new process has none."""
    return lambda: monkeypatch.setitem(BACKENDS, "llvm", LLVM())


def results(cell: Cell, name: str = "llvm") -> list[Tensor]:
    """Of a call, forward and back."""
    x = torch.linspace(-1, 1, 5 * 2 * 3).view(5, 2, 3).requires_grad_()
    with use_backend(name):
        y, state = scan(cell, x)
    gradients = torch.autograd.grad((y * y).sum() + sum(each.sum() for each in state), [x, *cell.parameters()])
    return [y.detach(), *(each.detach() for each in state), *gradients]


def test_the_second_process_does_not_trace(home: Path, traces: list[Cell], process: Callable[[], None]) -> None:
    cell = LSTMCell(3, 4)
    process()
    first = results(cell)
    assert len(list(home.glob("*.brief"))) == 1
    process()
    for ours, theirs in zip(results(cell), first, strict=True):
        assert torch.equal(ours, theirs)
    assert len(traces) == 1


@pytest.mark.parametrize("damage", ["cut", "flipped", "another format"])
def test_damage_is_noticed(damage: str, home: Path, traces: list[Cell], process: Callable[[], None]) -> None:
    cell = LSTMCell(3, 4)
    process()
    first = results(cell)
    (path,) = home.glob("*.brief")
    held = bytearray(path.read_bytes())
    held[-5] ^= 1
    if damage == "another format":
        cache.write(path, b'{"names": []}')
    else:
        path.write_bytes(bytes(held) if damage == "flipped" else held[:-9])
    for _ in range(2):
        process()
        assert_close(results(cell), first)
    assert len(traces) == 2, "made anew once, then found"


class Leaky(Cell):
    """Two of a kind are not the same, whatever their name says."""

    def __init__(self, rate: float) -> None:
        super().__init__(3, 3)
        self.rate = rate
        self.weight = torch.nn.Parameter(torch.eye(3))

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h = torch.tanh(x + self.rate * state[0] @ self.weight)
        return h, (h,)


def test_what_gives_other_numbers_is_made_anew(
    home: Path, traces: list[Cell], process: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "identity", lambda cell: "the same for all")
    for cell in (Leaky(0.5), Leaky(0.9)):
        process()
        assert_close(results(cell), results(cell, "eager"))
    assert len(traces) == 2
    process()
    results(Leaky(0.9))
    assert len(traces) == 2, "the new one has taken the old one's place"


def test_what_draws_at_random_is_not_kept(home: Path, process: Callable[[], None]) -> None:
    process()
    layer = elman.Recurrent(LSTMCell, 3, 4, zoneout=0.2)
    with use_backend("llvm"):
        layer(torch.randn(5, 2, 3))
    assert not list(home.glob("*.brief"))


def test_what_needs_the_graphs_makes_them_then(home: Path, traces: list[Cell], process: Callable[[], None]) -> None:
    cell, x = Leaky(0.5), torch.randn(4, 2, 3, requires_grad=True)
    process()
    results(cell)
    process()
    y, _ = scan(cell, x)
    assert len(traces) == 1
    (slope,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    slope.pow(2).sum().backward()
    assert len(traces) == 2
    assert x.grad is not None
    assert "matrix products" in str(elman.explain(elman.Recurrent(cell)))
    assert len(traces) == 2


def test_without_a_folder_all_goes_on(monkeypatch: pytest.MonkeyPatch, process: Callable[[], None]) -> None:
    monkeypatch.setenv(cache.VARIABLE, "/dev/null/impossible")
    process()
    assert_close(results(Leaky(0.5)), results(Leaky(0.5), "eager"))
