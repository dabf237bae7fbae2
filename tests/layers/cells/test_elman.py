import pytest
import torch
from torch import nn

from elman.engine import scan
from elman.errors import OptionError
from elman.layers.cells import ElmanCell


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_same_numbers_as_torch(activation: str) -> None:
    torch.manual_seed(0)
    theirs = nn.RNN(3, 4, nonlinearity=activation)
    ours = ElmanCell(3, 4, activation=activation)
    bias = theirs.bias_ih_l0 + theirs.bias_hh_l0
    ours.load_state_dict({"weight_ih": theirs.weight_ih_l0, "weight_hh": theirs.weight_hh_l0, "bias": bias})
    x, h = torch.randn(5, 2, 3), torch.randn(2, 4)
    outputs, (last,) = scan(ours, x, (h,))
    expected, expected_last = theirs(x, h[None])
    assert torch.allclose(outputs, expected, atol=1e-6)
    assert torch.allclose(last, expected_last[0], atol=1e-6)


def test_sigmoid_follows_the_equation() -> None:
    cell = ElmanCell(3, 4, activation="sigmoid")
    x, h = torch.randn(2, 3), torch.randn(2, 4)
    expected = 1 / (1 + torch.exp(-(x @ cell.weight_ih.T + h @ cell.weight_hh.T + cell.bias)))
    assert torch.allclose(cell(x, (h,))[0], expected, atol=1e-6)


def test_unknown_activation_names_the_near_one() -> None:
    with pytest.raises(OptionError, match="activation cannot be 'tan'; did you mean 'tanh'"):
        ElmanCell(3, 4, activation="tan")
