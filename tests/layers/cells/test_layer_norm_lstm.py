import torch
from torch import Tensor, nn

from elman.layers.cells import LayerNormLSTMCell
from elman.layers.cells.layer_norm_lstm import EPSILON


def norm(a: Tensor) -> Tensor:
    return (a - a.mean(1, keepdim=True)) / (a.var(1, keepdim=True, unbiased=False) + EPSILON).sqrt()


def test_follows_the_paper() -> None:
    torch.manual_seed(0)
    cell = LayerNormLSTMCell(3, 4)
    for parameter in cell.parameters():
        nn.init.normal_(parameter)
    x, h, c = torch.randn(2, 3), torch.randn(2, 4), torch.randn(2, 4)
    sums = cell.gain_ih * norm(x @ cell.weight_ih.T) + cell.gain_hh * norm(h @ cell.weight_hh.T) + cell.bias
    i, f, g, o = sums.split(4, dim=1)
    new = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    expected = torch.sigmoid(o) * torch.tanh(cell.gain_c * norm(new) + cell.bias_c)
    output, (_, memory) = cell(x, (h, c))
    assert torch.allclose(memory, new, atol=1e-5)
    assert torch.allclose(output, expected, atol=1e-5)


def test_scaling_the_recurrent_weights_changes_nothing() -> None:
    cell = LayerNormLSTMCell(3, 8).double()
    x, state = torch.randn(2, 3).double(), (torch.randn(2, 8).double(), torch.randn(2, 8).double())
    before, _ = cell(x, state)
    with torch.no_grad():
        cell.weight_hh *= 100
    assert torch.allclose(cell(x, state)[0], before, atol=1e-4)  # up to epsilon's share of the variance
