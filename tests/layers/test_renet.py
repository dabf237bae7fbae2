"""Pictures read by columns and rows."""

import torch

from elman.layers import LSTMCell, ReNet


def test_it_is_a_torch_lstm_along_columns_and_then_along_rows() -> None:
    torch.manual_seed(0)
    layer, x = ReNet(LSTMCell, 3, 5), torch.randn(4, 6, 2, 3)
    down, across = (torch.nn.LSTM(width, 5, bidirectional=True) for width in (3, 10))
    for ours, theirs in ((layer.columns, down), (layer.rows, across)):
        for cell, end in zip(ours.cells, ("", "_reverse"), strict=True):
            load(cell, theirs, end)
    columns = torch.stack([down(x[:, place])[0] for place in range(6)], 1)
    rows = torch.stack([across(columns[line])[0] for line in range(4)])
    torch.testing.assert_close(layer(x), rows, rtol=1e-5, atol=1e-6)


def load(cell: torch.nn.Module, theirs: torch.nn.LSTM, end: str) -> None:
    """Weights of a direction of torch's layer into a cell, whose gates stand in the same order."""
    weights = {name: getattr(theirs, f"{name}_l0{end}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
    bias = weights.pop("bias_ih") + weights.pop("bias_hh")
    cell.load_state_dict(weights | {"bias": bias})


def test_every_place_knows_of_all_others() -> None:
    torch.manual_seed(0)
    layer, x = ReNet(LSTMCell, 2, 4), torch.randn(3, 5, 1, 2, requires_grad=True)
    for line in range(3):
        for place in range(5):
            (gradient,) = torch.autograd.grad(layer(x)[line, place].sum(), x)
            assert (gradient.abs().amax(-1) > 0).all()
