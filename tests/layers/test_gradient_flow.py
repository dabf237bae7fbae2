"""Gradients that reach back: against a loop by hand, and as the theory says."""

import pytest
import torch

from elman.errors import CellError, ShapeError
from elman.layers import LSTM, RNN, ElmanCell, Recurrent, gradient_flow
from elman.pictures import draw_gradient_flow


def test_norms_equal_a_loop_by_hand():
    cell = ElmanCell(3, 5)
    x = torch.randn(12, 2, 3)
    states, y = [torch.zeros(2, 5, requires_grad=True)], None
    for step in x.unbind(0):
        y, (state,) = cell(step, (states[-1],))
        states.append(state)
    gradients = torch.autograd.grad(y.square().mean(), states[:-1])
    by_hand = torch.stack([gradient.norm(dim=-1).mean() for gradient in reversed(gradients)])
    torch.testing.assert_close(gradient_flow(Recurrent(cell), x)[0], by_hand)


def test_rnn_vanishes_and_lstm_with_open_forget_gates_holds():
    x = torch.randn(80, 4, 8)
    rnn, lstm = RNN(8, 16), LSTM(8, 16)
    with torch.no_grad():
        lstm.bias_ih_l0[16:32] = 6.0  # the forget gate's
    falling, holding = gradient_flow(rnn, x)[0], gradient_flow(lstm, x)[0]
    assert falling[60] < falling[0] * 1e-3
    assert holding[60] > holding[0] * 0.05


@pytest.mark.parametrize("layers", [1, 2])
def test_one_curve_a_layer_and_direction_and_a_picture(layers, tmp_path):
    curves = gradient_flow(LSTM(3, 4, num_layers=layers, bidirectional=True), torch.randn(6, 2, 3))
    assert [curve.shape for curve in curves] == [(6,)] * (2 * layers)
    draw_gradient_flow(tmp_path / "flow.png", {"lstm": curves[0].tolist(), "zero": [0.0] * 6})
    assert (tmp_path / "flow.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("model", "loss", "error", "message"),
    [
        (torch.nn.Linear(3, 4), None, CellError, "Linear ran no layer of elman"),
        (LSTM(3, 4), lambda result: result[0], ShapeError, "the loss expects one number"),
    ],
)
def test_what_has_no_flow_is_named(model, loss, error, message):
    with pytest.raises(error, match=message):
        gradient_flow(model, torch.randn(6, 2, 3), loss)
