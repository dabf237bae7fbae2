import pytest
import torch
from torch import nn

from elman.engine import scan
from elman.layers.cells import GRUCell, UpdateGateCell, convert_update
from elman.layers.cells.update import UpdatingCell


@pytest.mark.parametrize("update", ["keep", "take"])
@pytest.mark.parametrize("kind", ["gru-before", "gru-after", "update-gate"])
def test_the_other_convention_computes_the_same(kind: str, update: str) -> None:
    torch.manual_seed(0)
    cell: UpdatingCell
    if kind == "update-gate":
        cell = UpdateGateCell(3, 4, update=update)
    else:
        cell = GRUCell(3, 4, reset=kind.removeprefix("gru-"), update=update)
    for parameter in cell.parameters():
        nn.init.normal_(parameter)
    other = convert_update(cell)
    x, h = torch.randn(7, 2, 3), torch.randn(2, 4)
    assert other.update != cell.update
    assert type(other) is type(cell)
    assert torch.allclose(scan(cell, x, (h,))[0], scan(other, x, (h,))[0], atol=1e-5)  # σ(-a) rounds unlike 1 - σ(a)


def test_converting_twice_gives_the_first_back() -> None:
    cell = GRUCell(3, 4)
    again = convert_update(convert_update(cell))
    assert again.update == cell.update
    assert all(torch.equal(a, b) for a, b in zip(again.parameters(), cell.parameters(), strict=True))


def test_the_given_cell_stays_as_it_is() -> None:
    cell = GRUCell(3, 4)
    before = cell.weight_ih.detach().clone()
    convert_update(cell)
    assert cell.update == "keep"
    assert torch.equal(cell.weight_ih, before)
