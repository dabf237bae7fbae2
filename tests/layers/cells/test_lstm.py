import torch
from torch import nn

from elman.engine import scan
from elman.layers.cells import LSTMCell


def test_same_numbers_as_torch() -> None:
    torch.manual_seed(0)
    theirs, ours = nn.LSTM(3, 5), LSTMCell(3, 5)
    bias = theirs.bias_ih_l0 + theirs.bias_hh_l0
    ours.load_state_dict({"weight_ih": theirs.weight_ih_l0, "weight_hh": theirs.weight_hh_l0, "bias": bias})
    x, h, c = torch.randn(7, 2, 3), torch.randn(2, 5), torch.randn(2, 5)
    outputs, state = scan(ours, x, (h, c))
    expected, expected_state = theirs(x, (h[None], c[None]))
    assert torch.allclose(outputs, expected, atol=1e-6)
    assert all(torch.allclose(a, b[0], atol=1e-6) for a, b in zip(state, expected_state, strict=True))
