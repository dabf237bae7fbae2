"""Which backend runs a cell, and what is said about it."""

import warnings
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from elman.engine import (
    BACKENDS,
    Cell,
    FallbackWarning,
    State,
    dispatch,
    explain_scan,
    recording,
    scan,
    use_backend,
)
from elman.errors import OptionError, Refused

from .cells.minimal_gated_unit import MinimalGatedUnit
from .cells.refused import BatchMean, PythonRandom

X = torch.randn(4, 2, 3)


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The backends that ran, in order."""
    names: list[str] = []
    for name, backend in BACKENDS.items():
        plain = backend.run

        def run(cell: Cell, sequence: object, name: str = name, plain: object = plain) -> object:
            names.append(name)
            return plain(cell, sequence)  # pyright: ignore

        monkeypatch.setattr(backend, "run", run)
    monkeypatch.setattr(dispatch, "_told", set())
    return names


def test_a_cell_that_fuses_runs_on_kernels(ran: list[str]) -> None:
    scan(MinimalGatedUnit(3, 5), X)
    assert ran == ["llvm"]


@pytest.mark.parametrize("name", BACKENDS)
def test_a_backend_can_be_asked_for(ran: list[str], name: str) -> None:
    cell = MinimalGatedUnit(3, 5)
    with use_backend(name):
        scan(cell, X)
        assert explain_scan(cell).backend == name
    assert ran == [name]
    assert explain_scan(cell).backend == "llvm"


def test_the_innermost_wish_counts_and_ends_with_its_block(ran: list[str]) -> None:
    cell = MinimalGatedUnit(3, 5)
    with use_backend("eager"):
        with use_backend("llvm"):
            scan(cell, X)
        with pytest.raises(KeyError), use_backend("llvm"):
            raise KeyError
        scan(cell, X)
    assert ran == ["llvm", "eager"]


def test_an_unknown_backend_is_an_option_error() -> None:
    with pytest.raises(OptionError, match=r"no backend is called 'lvm'; did you mean 'llvm'\?"), use_backend("lvm"):
        pass


def test_a_refused_cell_runs_on_eager_and_is_told_once(ran: list[str]) -> None:
    cell = BatchMean(3, 5)
    with pytest.warns(FallbackWarning, match=r"BatchMean runs on eager, step by step: the operation .*mean"):
        scan(cell, X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scan(cell, X)
        scan(BatchMean(3, 5), X)
    assert ran[-1] == "eager"
    assert ran.count("eager") == 3


def test_a_wish_for_kernels_that_cannot_be_is_refused() -> None:
    with use_backend("llvm"), pytest.raises(Refused, match="mixes the rows of the batch"):
        scan(BatchMean(3, 5), X)


def test_who_listens_hears_the_plain_loop(ran: list[str]) -> None:
    class Told(MinimalGatedUnit):
        def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
            h, state = super().forward(x, state)
            return self.record("hidden", h), state

    with recording():
        scan(Told(3, 5), X)
        assert "records" in explain_scan(Told(3, 5)).reason
    assert ran == ["eager"]


def test_transforms_of_functions_see_the_plain_loop(ran: list[str]) -> None:
    cell = MinimalGatedUnit(3, 5)
    torch.func.grad(lambda x: scan(cell, x)[0].sum())(X)
    assert ran == ["eager"]


def test_an_explanation_is_printed_with_its_plan() -> None:
    text = str(explain_scan(MinimalGatedUnit(3, 5)))
    first, second, *_ = text.splitlines()
    assert first == "MinimalGatedUnit runs on llvm: its step is fused into kernels of one loop over time"
    assert second == "forward, in the loop over time"
    refused = explain_scan(BatchMean(3, 5))
    assert refused.plan is None
    assert str(refused).startswith("BatchMean runs on eager: the operation aten.mean")
    assert len(str(refused).splitlines()) == 1


def test_a_step_that_changes_its_mind_is_found_out() -> None:
    cell = PythonRandom(3, 5)
    assert "differ in the output" in explain_scan(cell).reason
    with use_backend("llvm"), pytest.raises(Refused, match="differ in the output"):
        scan(cell, X)
