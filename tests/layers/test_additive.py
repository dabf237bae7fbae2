"""Additive energies by products of exponentials are those of a tanh for each pair."""

import pytest
import torch
from torch import Tensor

from elman.layers.additive import additive_energies


def plain(query: Tensor, keys: Tensor, weight: Tensor) -> Tensor:
    return torch.tanh(query.unsqueeze(2) + keys.unsqueeze(1)) @ weight


@pytest.mark.parametrize("shape", [(2, 3, 5, 4), (1, 1, 1, 1), (2, 0, 3, 4), (3, 2, 7, 17)])
def test_equal_forward_and_backward(shape: tuple[int, int, int, int]) -> None:
    batch, queries, places, size = shape
    shapes = (batch, queries, size), (batch, places, size), (size,)
    ours = [torch.randn(each, dtype=torch.float64, requires_grad=True) for each in shapes]
    theirs = [each.detach().clone().requires_grad_() for each in ours]
    found, expected = additive_energies(*ours), plain(*theirs)
    torch.testing.assert_close(found, expected)
    upstream = torch.randn_like(found)
    for mine, its in zip(
        torch.autograd.grad(found, ours, upstream), torch.autograd.grad(expected, theirs, upstream), strict=True
    ):
        torch.testing.assert_close(mine, its)


@pytest.mark.parametrize(
    ("q", "k"), [(0.0, 0.0), (30.0, -29.5), (-42.0, 42.5), (90.0, 90.0), (-90.0, -90.0), (60.0, 1.0)]
)
def test_large_numbers_neither_overflow_nor_vanish(q: float, k: float) -> None:
    query, keys, weight = (torch.full((1, 1, 1), q), torch.full((1, 1, 1), k), torch.ones(1))
    query.requires_grad_()
    found = additive_energies(query, keys, weight)
    torch.testing.assert_close(found, plain(query, keys, weight), atol=2e-5, rtol=0)
    (gradient,) = torch.autograd.grad(found.sum(), query)
    (expected,) = torch.autograd.grad(plain(query, keys, weight).sum(), query)
    torch.testing.assert_close(gradient, expected, atol=2e-5, rtol=0)
