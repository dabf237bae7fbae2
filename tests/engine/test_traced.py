"""A captured step as a cell: for any batch, with the draws that it is given, and with gradients of gradients."""

import pytest
import torch
from torch import Tensor
from torch.autograd import gradgradcheck
from torch.testing import assert_close

from elman.engine import Cell, State, scan, use_backend
from elman.engine.backends.base import Sequence
from elman.engine.backends.eager import loop
from elman.engine.backends.llvm.backend import drawn, prepared
from elman.engine.capture import Captured, capture
from elman.engine.traced import TracedCell

from .cells import FUSED, state_for

NAMES = ["minimal_gated_unit", "block_diagonal_bmm", "slstm_heads", "mixed_states", "weight_normalised", "fastgrnn"]


def made(name: str) -> tuple[Cell, Captured]:
    cell = FUSED[name]().double()
    return cell, capture(cell, torch.float64)


def traced(cell: Cell, captured: Captured, state: State) -> TracedCell:
    sequence = Sequence(x=torch.empty(0), state=None)
    return TracedCell(cell, captured, prepared(captured.names, captured.prelude.forward, cell, sequence), state)


@pytest.mark.parametrize("name", NAMES)
def test_one_trace_serves_every_batch(name: str) -> None:
    cell, captured = made(name)
    for batch in (1, 2, 7):
        x, state = torch.randn(batch, cell.input_size, dtype=torch.float64), state_for(cell, batch, torch.float64)
        assert_close(traced(cell, captured, state)(x, state), cell(x, state), rtol=1e-12, atol=1e-12)


def test_draws_come_with_the_context() -> None:
    cell, captured = made("zoneout_by_hand")
    x = torch.randn(4, 3, cell.input_size, dtype=torch.float64)
    draws, state = drawn(captured.draws, x), state_for(cell, 3, torch.float64)
    assert [each.shape[:2] for each in draws] == [(4, 3)] * len(captured.draws)
    assert all(each.min() >= 0 and each.max() < 1 for each in draws)
    results = [loop(traced(cell, captured, state), Sequence(x=x, state=state, draws=draws)) for _ in range(2)]
    assert torch.equal(results[0][0], results[1][0])
    other = loop(traced(cell, captured, state), Sequence(x=x, state=state, draws=drawn(captured.draws, x)))
    assert not torch.equal(results[0][0], other[0])


def test_both_backends_draw_the_same() -> None:
    cell, _ = made("dropout_inside")
    x, results = torch.randn(5, 2, cell.input_size, dtype=torch.float64), []
    for backend in ("llvm", "eager"):
        torch.manual_seed(3)
        with use_backend(backend):
            results.append(scan(cell, x)[0])
    assert_close(*results, rtol=1e-12, atol=1e-12)


def test_a_gradient_has_a_gradient() -> None:
    cell, _ = made("minimal_gated_unit")
    x = torch.randn(2, 2, cell.input_size, dtype=torch.float64, requires_grad=True)

    def output(x: Tensor) -> Tensor:
        return scan(cell, x)[0]

    with use_backend("llvm"):
        assert gradgradcheck(output, x)
