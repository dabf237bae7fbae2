"""Other values in the place of parameters, for one call and nobody else."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from elman.engine.stand_in import with_parameters
from elman.layers import LSTM, LSTMCell, Zoneout


def test_the_twin_has_the_values_and_the_original_its_own():
    network = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    before = {name: value.clone() for name, value in network.named_parameters()}
    values = {"0.weight": torch.randn(3, 2), "2.bias": torch.randn(1)}
    x = torch.randn(5, 2)
    expected = torch.func.functional_call(network, values, x)
    assert torch.equal(with_parameters(network, values)(x), expected)
    assert all(torch.equal(value, before[name]) for name, value in network.named_parameters())
    assert dict(with_parameters(network, values).named_parameters())["0.weight"] is values["0.weight"]


def test_gradients_reach_the_values():
    weight = torch.randn(8, 2, requires_grad=True)
    cell = with_parameters(Zoneout(LSTMCell(3, 2), 0.1), {"cell.weight_hh": weight})
    cell(torch.randn(4, 3), (torch.randn(4, 2), torch.randn(4, 2)))[0].sum().backward()
    assert weight.grad is not None
    assert weight.grad.abs().sum() > 0


@pytest.mark.parametrize("threads", [4])
def test_threads_share_a_layer(threads):
    layer, x = LSTM(3, 4), torch.randn(30, 2, 3)
    expected = layer(x)[0]
    with ThreadPoolExecutor(threads) as pool:
        results = list(pool.map(lambda _: layer(x)[0], range(40)))
    assert all(torch.equal(result, expected) for result in results)
