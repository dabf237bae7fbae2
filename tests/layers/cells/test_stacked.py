import pytest
import torch

from elman.errors import CellError
from elman.layers.cells import JordanCell, LSTMCell


def test_rows_are_those_of_the_gate() -> None:
    cell = LSTMCell(3, 4)
    assert cell.rows("forget_gate") == slice(4, 8)


def test_products_come_in_the_order_of_the_gates() -> None:
    cell = LSTMCell(3, 4)
    x, h = torch.randn(2, 3), torch.randn(2, 4)
    for gate, product in zip(cell.gates, cell.products(x, h), strict=True):
        rows = cell.rows(gate)
        expected = x @ cell.weight_ih[rows].T + h @ cell.weight_hh[rows].T + cell.bias[rows]
        assert torch.allclose(product, expected, atol=1e-6)


@pytest.mark.parametrize("hidden", [0, -1, 2.5])
def test_hidden_size_must_be_whole_and_positive(hidden: int) -> None:
    with pytest.raises(CellError, match=r"hidden_size|whole sizes"):
        JordanCell(3, hidden, output_size=2)
