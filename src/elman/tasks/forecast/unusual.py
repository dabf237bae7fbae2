"""Steps that nobody could expect: how far each is from its forecast, beside what is usual for its series.

Key: B windows, H steps of the horizon.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from elman.data import Series, SeriesWindows
from elman.tasks.forecast.backtest import Seer
from elman.tasks.forecast.windowing import Windowing


@dataclass(frozen=True)
class Surprise:
    """One step, forecast from all that came before it."""

    whole: Series
    step: int
    came: float
    said: float
    error: float
    """How far they are apart, as a multiple of the mean change from one step to the next in the window before; NaN
    where nothing came, or too little is known, as where nothing changed."""


def surprises(
    seer: Seer, windowing: Windowing, network: nn.Module, series: Sequence[Series], firsts: Sequence[int]
) -> Iterator[Surprise]:
    """All steps of series from the first ones on, one ahead each."""
    origins = [range(max(1, first), len(one)) for one, first in zip(series, firsts, strict=True)]
    for batch in windowing.of(series, origins):
        found = seer.outputs(network, batch)
        said = found.centre + found.scale * found.middle()[0]
        usual = batch.known.diff(dim=0).abs().nanmean(0)
        errors = (batch.coming[0] - said).abs() / usual.where(usual > 0, torch.nan)
        numbers = zip(
            windowing.back(batch.coming[0]).tolist(), windowing.back(said).tolist(), errors.tolist(), strict=True
        )
        for one, step, (came, expected, error) in zip(batch.whole, batch.origins.tolist(), numbers, strict=True):
            yield Surprise(one, step, came, expected, error)


def starts(windows: SeriesWindows) -> list[int]:
    """Of each series the first origin of its windows; its end where it has none."""
    firsts = [len(one) for one in windows.read]
    for number, origin in windows.windows.tolist():
        firsts[number] = min(firsts[number], origin)
    return firsts
