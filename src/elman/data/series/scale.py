"""Where a window's numbers lie, so that a network sees all series alike.

Key: C steps of context, B windows.
"""

from typing import Literal

import torch
from torch import Tensor

Scaling = Literal["window", "last", "standard", "robust", "none"]

NARROW = 1e-3
"""A scale is at least this share of the centre: a window may be flat."""


def facts_of(values: Tensor) -> Tensor:
    """Mean, deviation, median and middle half of a series (T,), the last as wide as a deviation would be: (4,).

    >>> facts_of(torch.tensor([1.0, float("nan"), 3.0]))[:3].tolist()
    [2.0, 1.0, 2.0]
    """
    known = values[~values.isnan()]
    if not len(known):
        return torch.tensor([0.0, 1.0, 0.0, 1.0])
    low, middle, high = known.quantile(torch.tensor([0.25, 0.5, 0.75]))
    return torch.stack([known.mean(), known.std(correction=0), middle, (high - low) / 1.349])


def centre_and_scale(scaling: Scaling, known: Tensor, facts: Tensor) -> tuple[Tensor, Tensor]:
    """Of windows (C, B) and the facts of their series (B, 4): centres and scales (B,).

    "standard" is mean and deviation of the series; "robust" its median and middle half; "last" the window's last value
    and the series' deviation; "window" mean and deviation of the window.

    >>> centre_and_scale("last", torch.tensor([[1.0], [3.0]]), torch.tensor([[2.0, 1.5, 0.0, 0.0]]))
    (tensor([3.]), tensor([1.5000]))
    """
    mean, deviation, median, half = facts.unbind(1)
    if scaling == "none":
        return torch.zeros_like(mean), torch.ones_like(mean)
    if scaling == "window":
        mean = known.nanmean(0).nan_to_num()
        deviation = (known - mean).square().nanmean(0).sqrt().nan_to_num()
    centre = {"last": _last(known), "robust": median}.get(scaling, mean)
    scale = half if scaling == "robust" else deviation
    least = (NARROW * centre.abs()).clamp_min(1e-8)
    return centre, torch.where(scale > 0, scale.maximum(least), 1.0)


def _last(known: Tensor) -> Tensor:
    """The last value of each window that there is, (B,); 0 where there is none."""
    there = ~known.isnan()
    place = (there * torch.arange(1, len(known) + 1).unsqueeze(1)).argmax(0)
    return known.gather(0, place.unsqueeze(0)).squeeze(0).nan_to_num()
