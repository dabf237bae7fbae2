"""Where windows of series stand: which to learn from, and which to judge on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from elman.data import Series, SeriesWindows
from elman.errors import DataError
from elman.tasks.forecast.memory import SeriesMemory
from elman.tasks.forecast.options import ForecastOptions

AT_ONCE = 512
"""Windows that are judged or answered side by side."""
LATELY = 100
"""So many windows of a series say how wide its intervals are to be."""


@dataclass(frozen=True)
class Windowing:
    """How series are cut into windows."""

    options: ForecastOptions
    memory: SeriesMemory

    @property
    def season(self) -> int:
        """Steps after which things come again."""
        return self.options.season or self.memory.frequency.season

    @property
    def context(self) -> int:
        """Known steps that a window shows."""
        return self.options.context or max(3 * self.options.horizon, 2 * self.season)

    def training_origins(self, training: Sequence[Series]) -> list[Sequence[int]]:
        """Every step behind a whole context; in short series every step in their second half."""
        lasts = [len(one) - self.options.horizon for one in training]
        return [range(min(self.context, max(last // 2, 1)), last + 1) for last in lasts]

    def behind(self, ends: Sequence[int], series: Sequence[Series], stride: int | None = None) -> list[Sequence[int]]:
        """Origins from the end of what is known on, so that each horizon lies within its series."""
        horizon = self.options.horizon
        stride = stride or self.options.stride or horizon
        return [range(end, len(one) - horizon + 1, stride) for end, one in zip(ends, series, strict=True)]

    def of(
        self,
        series: Sequence[Series],
        origins: Sequence[Sequence[int]],
        batch_size: int = AT_ONCE,
        epoch_windows: int | None = None,
    ) -> SeriesWindows:
        """Windows of series, with the facts that training found out of them."""
        learned = [transformed(one, self.options.transform) for one in series]
        return SeriesWindows(
            learned,
            *self.memory.facts_for(learned),
            self.memory.frequency,
            self.context,
            self.options.horizon,
            origins,
            batch_size,
            epoch_windows=epoch_windows,
            read=series,
        )

    def back(self, values: Tensor) -> Tensor:
        """From what is learned to numbers as they are."""
        return {"none": lambda v: v, "log": torch.exp, "log1p": torch.expm1}[self.options.transform](values)

    def to_score(self, found: Sequence[Series]) -> SeriesWindows:
        """Windows behind what is remembered; of series that training has not seen, behind their first context.

        Raises:
            DataError: They are too short for one.
        """
        whole = self.memory.joined(found)
        ends = [max(len(one) - self.new(one), 0 if one.name in self.memory.series else self.context) for one in whole]
        ends = [self.context if end >= len(one) else end for end, one in zip(ends, whole, strict=True)]
        return self.of(whole, self.behind(ends, whole))  # where nothing is new, on what there is

    def unseen(self, whole: Sequence[Series]) -> SeriesWindows | None:
        """The last windows of which training has seen nothing, horizon after horizon; None where there are none."""
        ends = [max(len(one) - self.new(one), self.context) for one in whole]
        origins = [each[-LATELY:] for each in self.behind(ends, whole, self.options.horizon)]
        return self.of(whole, origins) if any(origins) else None

    def portions(self, whole: Sequence[Series], size: int | None) -> Iterator[tuple[SeriesWindows, SeriesWindows]]:
        """Steps behind those that are remembered, so many at a time: to be judged on, and then to be learned."""
        horizon = self.options.horizon
        size = max(size or horizon, horizon)
        ends = [len(one) - self.new(one) for one in whole]
        for first in range(0, max(map(self.new, whole)), size):
            parts = [one.cut(0, min(end + first + size, len(one))) for one, end in zip(whole, ends, strict=True)]
            starts = [max(end, self.context) + first for end in ends]
            tests = self.behind(starts, parts)
            lessons = [
                range(max(1, at - horizon + 1), len(one) - horizon + 1) for at, one in zip(starts, parts, strict=True)
            ]
            if any(tests):
                yield self.of(parts, tests), self.of(parts, lessons, self.options.batch_size)

    def new(self, one: Series) -> int:
        """Steps that are not remembered."""
        known = self.memory.series.get(one.name)
        return len(one) if known is None else len(one) - (known.start - one.start + len(known))


def transformed(one: Series, transform: str) -> Series:
    """A series, or its logarithm.

    Raises:
        DataError: It has none.
    """
    if transform == "none":
        return one
    least = 0.0 if transform == "log" else -1.0
    if (one.values <= least).any():
        raise DataError(
            f"series {one.name!r} has values of {least:g} or less, which have no logarithm; "
            "take transform = log1p or none"
        )
    return replace(one, values=one.values.log() if transform == "log" else one.values.log1p())
