"""Gradients that arrive at the state, against a loop that keeps every state."""

import pytest
import torch
from torch import Tensor, nn

from elman.engine import Cell, State, as_cell, probe_states, scan
from elman.layers import GRU, LSTM, RNN, LSTMCell, Recurrent, WeightDrop

T, B, FEATURES, H = 6, 3, 2, 4


def gradients_at_states(cell: Cell, x: Tensor, resets: Tensor, reverse: bool) -> tuple[Tensor, Tensor]:
    """The loop by hand: the loss's gradient with respect to the state that enters each step."""
    state = cell.initial_state(B)
    entered: list[State | None] = [None] * T
    total = x.new_zeros(())
    for t in reversed(range(T)) if reverse else range(T):
        boundary = t + 1 if reverse else t
        if boundary < T:
            cut = resets[boundary].unsqueeze(1)
            state = tuple(torch.where(cut, a, b) for a, b in zip(cell.initial_state(B), state, strict=True))
        state = tuple(tensor + torch.zeros_like(tensor, requires_grad=True) for tensor in state)
        entered[t] = state
        output, state = cell(x[t], state)
        total = total + output.square().sum() * (t + 1)
    leaves = [tensor for state in entered for tensor in state or ()]
    flat = torch.autograd.grad(total, leaves)
    per_step = len(flat) // T
    return total, torch.stack([torch.cat(flat[t * per_step : (t + 1) * per_step], dim=-1) for t in range(T)])


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("kind", [nn.LSTMCell, nn.GRUCell])
def test_probes_hold_the_gradient_of_every_state(kind: type[nn.RNNCellBase], reverse: bool) -> None:
    cell = as_cell(kind(FEATURES, H).double())
    x, resets = torch.randn(T, B, FEATURES, dtype=torch.float64), torch.rand(T, B) < 0.2
    expected, gradients = gradients_at_states(cell, x, resets, reverse)
    with probe_states() as probes:
        y, _ = scan(cell, x, resets=resets, reverse=reverse)
    total = (y.square().sum(dim=(1, 2)) * torch.arange(1, T + 1)).sum()
    torch.testing.assert_close(total, expected, rtol=1e-12, atol=0)
    torch.testing.assert_close(*torch.autograd.grad(total, probes), gradients, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("layer", "runs", "numbers"),
    [
        (lambda: RNN(FEATURES, H, 2, bidirectional=True), 4, H),
        (lambda: GRU(FEATURES, H), 1, H),
        (lambda: LSTM(FEATURES, H, proj_size=3), 1, H + 3),
        (lambda: Recurrent(LSTMCell, FEATURES, H, 2, zoneout=0.2, weight_drop=0.2, recurrent_dropout=0.2), 2, 2 * H),
        (lambda: Recurrent(nn.LSTMCell, FEATURES, H, 2), 2, 2 * H),
    ],
)
def test_one_probe_a_layer_and_direction(layer, runs: int, numbers: int) -> None:
    with probe_states() as probes:
        y, _ = layer()(torch.randn(T, B, FEATURES), lengths=torch.tensor([T, 2, 3]))
    y.sum().backward()
    assert [probe.shape for probe in probes] == [(T, B, numbers)] * runs
    assert all(probe.grad is not None and (probe.grad[4:, 1:] == 0).all() for probe in probes)
    assert all((probe.grad[1] != 0).any() for probe in probes if probe.grad is not None)


def test_probes_change_neither_outputs_nor_gradients() -> None:
    cell, x = WeightDrop(LSTMCell(FEATURES, H), 0.5).eval(), torch.randn(T, B, FEATURES, requires_grad=True)
    y, _ = scan(cell, x)
    with probe_states():
        probed, _ = scan(cell, x)
    leaves = [x, *cell.parameters()]
    torch.testing.assert_close(probed, y)
    torch.testing.assert_close(torch.autograd.grad(probed.sum(), leaves), torch.autograd.grad(y.sum(), leaves))


def test_only_the_block_is_probed() -> None:
    cell, x = LSTMCell(FEATURES, H), torch.randn(T, B, FEATURES)
    with probe_states() as probes:
        pass
    scan(cell, x)
    assert probes == []
