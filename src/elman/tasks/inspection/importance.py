"""Which steps of an input an answer rests on.

Key: T steps, F features.
"""

from math import ceil

import torch
from torch import Tensor

from elman.tasks.inspection.case import Case

POINTS = 32
"""Places on the way from nothing to the input at which gradients are taken."""
AT_MOST = 128
"""Stretches that are hidden, one after the other: of a longer input, several steps each."""


def integrated_gradients(case: Case, points: int = POINTS) -> tuple[Tensor, float]:
    """The share of each step in the score, (T,), on the straight way from vectors of zeros (Sundararajan et al. 2017).

    Args:
        case: What is read.
        points: Of the way.

    Returns:
        The shares, and how much of the score's difference they do not add up to.
    """
    x = case.vectors()
    total = torch.zeros_like(x)
    for point in range(points):
        place = (x * ((point + 0.5) / points)).requires_grad_()
        with torch.enable_grad(), case.reading(lambda _, place=place: place):
            (gradient,) = torch.autograd.grad(case.score(), place)
        total += gradient
    shares = (x * total / points).sum((1, 2))
    return shares, float(_score(case, x) - _score(case, torch.zeros_like(x)) - shares.sum())


def occlusion(case: Case) -> Tensor:
    """How much the score falls where a step's vector is zeros, (T,); steps that are hidden together share it."""
    x = case.vectors()
    width = ceil(len(x) / AT_MOST)
    whole, falls = _score(case, x), torch.zeros(len(x))
    for first in range(0, len(x), width):
        hidden = x.clone()
        hidden[first : first + width] = 0
        falls[first : first + width] = (whole - _score(case, hidden)) / len(x[first : first + width])
    return falls


@torch.no_grad()
def _score(case: Case, x: Tensor) -> Tensor:
    with case.reading(lambda _: x):
        return case.score()
