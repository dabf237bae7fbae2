"""Right before fast: nothing is timed whose results are further from f64 than twice PyTorch's own."""

from collections.abc import Callable, Mapping, Sequence
from math import inf, isfinite
from typing import Any

import numpy as np
import torch
from torch import Tensor

import elman
from engine.runs import Run

FACTOR = 2.0
FLOOR = 1.2e-7
"""A unit in the last place of f32: below it, being twice as far off means nothing."""
PEER = 1e-3
"""Peers only have to compute the same thing."""

Calls = Mapping[str, Callable[[], Sequence[Any]]]


def distance(results: Sequence[Any], exact: Sequence[Any]) -> float:
    """The largest distance of a tensor, by the root of mean squares, relative to its numbers; NaN is infinitely far.

    Not by the largest number: where a cell has a kink, as relu, one number of millions falls to its other side.
    """
    pairs = zip(map(_numbers, results), map(_numbers, exact), strict=True)
    far = [_difference(a, b) for a, b in pairs]
    return max(far) if all(map(isfinite, far)) else inf  # max() alone may pass over NaN


def _difference(a: Tensor, b: Tensor) -> float:
    if a.shape != b.shape:  # they would be broadcast
        raise ValueError(f"results of shape {tuple(a.shape)}, expected {tuple(b.shape)}")
    return float((a - b).norm() / b.norm().clamp(min=1e-3))


def _numbers(value: Any) -> Tensor:
    return value.detach().double() if isinstance(value, Tensor) else torch.from_numpy(np.array(value, np.float64))


def check(ours: Run, theirs: Run, mode: str, peers: Calls) -> list[str]:
    """What is wrong with our results, or with those of a peer; nothing, if all is well."""
    drawn = _is_drawn(ours)
    for run in (ours, theirs):
        run.module.train(mode == "train" and not drawn)
    exact = getattr(theirs.double(), mode)()
    near = [_distances(getattr(run, mode)(), exact) for run in (theirs, ours)]
    wrong = [
        f"{what} {far:.1e} away from f64, torch {allowed:.1e}"
        for what, allowed, far in zip(("outputs", "gradients"), *near, strict=False)
        if far > max(FACTOR * allowed, FLOOR)
    ]
    if max(near[0]) > PEER:
        wrong.append(f"torch itself is {max(near[0]):.1e} away from f64, so nothing can be said")
    if drawn:
        for run in (ours, theirs):
            run.module.train()
        return wrong + _check_draws(ours, max(3 * max(near[0]), FLOOR))
    for name, call in peers.items():
        far = distance(call()[:2], exact[:2])  # outputs, and the gradient of the input
        if far > (max(FACTOR * near[0][0], FLOOR) if name.startswith("elman") else PEER):
            wrong.append(f"{name} computes something else: {far:.1e} away from f64")
    return wrong


def _distances(results: Sequence[Tensor], exact: Sequence[Tensor]) -> list[float]:
    """Of the outputs; and of the gradients, if there are any."""
    parts = [slice(0, 1), slice(1, None)] if len(exact) > 1 else [slice(0, 1)]
    return [distance(results[part], exact[part]) for part in parts]


def _is_drawn(run: Run) -> bool:
    """Does it draw random numbers in training, so that only its evaluation can be compared with f64?"""
    return any(type(module).__name__ == "Zoneout" for module in run.module.modules())


def _check_draws(ours: Run, allowed: float) -> list[str]:
    """From one seed, the kernel and the plain loop draw the same, so their results agree."""
    torch.manual_seed(1)
    fused = ours.train()
    torch.manual_seed(1)
    with elman.use_backend("eager"):
        plain = ours.train()
    far = distance(fused, plain)
    return [] if far <= allowed else [f"in training {far:.1e} away from the eager backend, allowed {allowed:.1e}"]
