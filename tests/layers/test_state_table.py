"""Rows of states come and go without a trace in others."""

import torch

from elman.layers import StateTable, steady_linear


def test_rows_are_fresh_and_stay_apart_while_the_table_grows() -> None:
    table = StateTable(((torch.full((1, 3), 0.5), torch.zeros(1, 2, 2)), (torch.ones(1, 1),)))
    rows = [table.take() for _ in range(40)]
    assert len(set(rows)) == 40
    for number, row in zip(map(float, range(40)), rows, strict=True):
        table.put([row], ((torch.full((1, 3), number), torch.full((1, 2, 2), number)), (torch.full((1, 1), number),)))
    (first, second), (third,) = table.get(rows[::-1])
    expected = torch.arange(39.0, -1, -1)
    assert torch.equal(first, expected.view(40, 1).expand(40, 3))
    assert torch.equal(second, expected.view(40, 1, 1).expand(40, 2, 2))
    assert torch.equal(third, expected.view(40, 1))
    table.give(rows[7])
    assert table.take() == rows[7]
    assert table.get([rows[7]])[0][0].tolist() == [[0.5, 0.5, 0.5]]
    assert table.get([rows[8]])[1][0].item() == 8


def test_a_row_is_the_same_in_any_company() -> None:
    x, weight, bias = torch.randn(70, 130), torch.randn(31, 130), torch.randn(31)
    whole = steady_linear(x, weight, bias)
    torch.testing.assert_close(whole, x @ weight.T + bias)
    for count in (1, 2, 7, 9, 63):
        assert torch.equal(steady_linear(x[:count], weight, bias), whole[:count])
    assert steady_linear(x[:0], weight).shape == (0, 31)
