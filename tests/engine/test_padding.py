import pytest
import torch

from elman.engine import without_padding


@pytest.mark.parametrize("features", [(), (2,), (2, 3)])
def test_zeros_past_each_rows_length(features: tuple[int, ...]) -> None:
    x = torch.randn(4, 3, *features)
    lengths = torch.tensor([4, 0, 2])
    y = without_padding(x, lengths)
    for row, length in enumerate(lengths):
        assert torch.equal(y[:length, row], x[:length, row])
        assert (y[length:, row] == 0).all()


def test_nan_reaches_neither_value_nor_gradient() -> None:
    x = torch.full((3, 1, 2), float("nan"))
    x[0] = 1
    x.requires_grad_()
    y = without_padding(x, torch.tensor([1]))
    y.square().sum().backward()
    assert torch.equal(y, torch.tensor([1.0, 0, 0]).view(3, 1, 1).expand(3, 1, 2))
    assert torch.equal(x.grad, 2 * y)


def test_without_lengths_nothing_happens() -> None:
    x = torch.randn(2, 3)
    assert without_padding(x, None) is x
