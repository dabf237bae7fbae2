"""Cells on top of each other are what the same cells are in a layer."""

import pytest
import torch
from torch import Tensor

from elman.engine import Cell, State, scan, use_backend
from elman.errors import OptionError, ShapeError
from elman.layers import GRUCell, LSTMCell, Recurrent, RecurrentDropout, Stacked, WeightDrop


def test_equals_a_layer_of_the_same_cells():
    layer = Recurrent(LSTMCell, 3, 5, num_layers=3, residual=True)
    stacked = Stacked(layer.cells, residual=True)
    x = torch.randn(7, 2, 3)
    expected, states = layer(x, lengths=torch.tensor([7, 4]))
    y, state = scan(stacked, x, lengths=torch.tensor([7, 4]))
    torch.testing.assert_close(y, expected)
    torch.testing.assert_close(state, tuple(tensor for one in states for tensor in one))


def test_runs_in_kernels_with_draws_and_dropped_weights_of_its_cells():
    cells = [RecurrentDropout(GRUCell(3, 4), 0.5), WeightDrop(RecurrentDropout(LSTMCell(4, 4), 0.5), 0.5)]
    stacked = Stacked(cells, dropout=0.3)
    results = []
    for backend in ("llvm", "eager"):
        torch.manual_seed(1)
        x = torch.ones(5, 2, 3, requires_grad=True)
        with use_backend(backend):
            y, _ = scan(stacked, x)
        results.append((y, *torch.autograd.grad(y.sum(), [x, *stacked.parameters()])))
    torch.testing.assert_close(*results)


def test_bad_stacks_are_named():
    with pytest.raises(OptionError, match="received none"):
        Stacked([])
    with pytest.raises(ShapeError, match="expects input_size=4, what the one below puts out; received 3"):
        Stacked([GRUCell(3, 4), GRUCell(3, 4)])


def test_one_mask_for_a_sequence_lasts_for_all_its_steps():
    class Through(Cell):
        """What comes in goes out."""

        def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
            return x, state

    x = torch.ones(6, 3, 50)
    for per, same in (("sequence", True), ("step", False)):
        y, _ = scan(Stacked([Through(50, 50), Through(50, 50)], dropout=0.5, dropout_per=per), x)
        assert bool((y == y[0]).all()) is same
        assert set(y.unique().tolist()) == {0.0, 2.0}
