"""How far apart the steps of a time series are, and what is known of each by the calendar alone.

Key: N times, F features.
"""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import gcd, pi
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from elman.errors import DataError, OptionError

EPOCH = datetime(1970, 1, 1)
MINUTE, HOUR, DAY = 60, 3600, 86400
"""Seconds."""


@dataclass(frozen=True)
class Frequency:
    """Steps of so many seconds, or of so many months; or no times at all, but numbers.

    Steps are counted: `number` gives a time's place, and `time` the time at a place.

    Example:
        >>> months = Frequency.of([datetime(1949, 1, 1), datetime(1949, 2, 1), datetime(1949, 4, 1)])
        >>> months.name, months.season, months.time(months.number(datetime(1949, 4, 1)) + 1)
        ('a month', 12, datetime.datetime(1949, 5, 1, 0, 0))
    """

    kind: str
    """seconds, months or numbers."""
    step: int
    offset: int = 0
    """Where place 0 is: seconds or months since 1970, or a number."""
    day: int = 1
    """Of the month, for months."""

    NAMES: ClassVar[dict[tuple[str, int], str]] = {
        ("seconds", MINUTE): "a minute",
        ("seconds", 15 * MINUTE): "15 minutes",
        ("seconds", 30 * MINUTE): "30 minutes",
        ("seconds", HOUR): "an hour",
        ("seconds", DAY): "a day",
        ("seconds", 7 * DAY): "a week",
        ("months", 1): "a month",
        ("months", 3): "a quarter",
        ("months", 12): "a year",
    }

    @classmethod
    def of(cls, times: Sequence[datetime] | Sequence[int]) -> "Frequency":
        """The one whose steps the times, in their order, are; some may be missing.

        Raises:
            DataError: There are fewer than two times, or they are too irregular.
        """
        if len(times) < 2:
            raise DataError(f"times of {len(times)} rows do not tell how far apart they are; give --frequency")
        dates = [each for each in times if isinstance(each, datetime)]
        if not dates:
            numbers = [each for each in times if isinstance(each, int)]
            return cls("numbers", gcd(*_gaps(numbers)) or 1, numbers[0])
        seconds, first = [_seconds(each) for each in dates], dates[0]
        gaps = _gaps(seconds)
        at_one_hour = len({(each.hour, each.minute) for each in dates}) == 1
        if min(gaps) >= 28 * DAY and at_one_hour and len({each.day for each in dates}) <= 4:
            step = gcd(*_gaps([_months(each) for each in dates]))
            return cls("months", step, _months(first) % step, min(first.day, 28))
        usual = _commonest(gaps)
        fitting = sum(gap % usual == 0 for gap in gaps)
        if fitting < 0.9 * len(gaps):
            raise DataError(
                f"times are {usual:,} seconds apart in most rows, but {len(gaps) - fitting:,} of {len(gaps):,} gaps "
                "are no multiple of that; give --frequency, or bring the rows to a regular grid"
            )
        return cls("seconds", usual, seconds[0] % usual)

    @classmethod
    def named(cls, name: str, first: datetime | int) -> "Frequency":
        """By a name such as 15min, 1h, 1d, 1w, 1mo, 1q, 1y.

        Raises:
            OptionError: There is no such name.
        """
        units = {"s": 1, "min": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}
        count, unit = (name.rstrip("abcdefghijklmnopqrstuvwxyz"), name.lstrip("0123456789"))
        months = {"mo": 1, "q": 3, "y": 12}
        if not (count or "1").isdecimal() or unit not in units | months or not isinstance(first, datetime):
            raise OptionError(f"frequency expects a number and s, min, h, d, w, mo, q or y; received {name!r}")
        if unit in months:
            step = int(count or 1) * months[unit]
            return cls("months", step, _months(first) % step, min(first.day, 28))
        step = int(count or 1) * units[unit]
        return cls("seconds", step, _seconds(first) % step)

    @property
    def name(self) -> str:
        """In words."""
        if self.kind == "numbers":
            return "a step" if self.step == 1 else f"{self.step} steps"
        unit = "seconds" if self.kind == "seconds" else "months"
        return self.NAMES.get((self.kind, self.step), f"{self.step:,} {unit}")

    @property
    def season(self) -> int:
        """Steps after which things come again, as a rule: a day, a week or a year of them; 1 where nothing is known."""
        if self.kind == "months":
            return max(1, 12 // self.step)
        if self.kind == "numbers":
            return 1
        if self.step < DAY:
            return DAY // self.step
        return {DAY: 7, 7 * DAY: 52}.get(self.step, 1)

    def number(self, time: datetime | int) -> int:
        """The place of a time; of one between two steps, that of the earlier one."""
        if self.kind == "numbers":
            assert isinstance(time, int)
            return (time - self.offset) // self.step
        assert isinstance(time, datetime)
        return ((_months if self.kind == "months" else _seconds)(time) - self.offset) // self.step

    def time(self, number: int) -> datetime | int:
        """The time at a place."""
        if self.kind == "numbers":
            return self.offset + number * self.step
        if self.kind == "months":
            month = number * self.step + self.offset
            return datetime(1970 + month // 12, month % 12 + 1, self.day)
        return EPOCH + timedelta(seconds=number * self.step + self.offset)

    def calendar(self, first: int, count: int) -> Tensor:
        """Where steps stand in the day, the week and the year, as sine and cosine, (count, F); F may be 0."""
        if self.kind == "numbers":
            return torch.zeros(count, 0)
        if self.kind == "months":
            months = np.arange(first, first + count) * self.step + self.offset
            return _waves([months % 12 / 12] if self.step < 12 else [], count)
        seconds = np.arange(first, first + count) * self.step + self.offset
        waves = [seconds % (365.2425 * DAY) / (365.2425 * DAY)]
        waves += [seconds % (7 * DAY) / (7 * DAY)] if self.step < 7 * DAY else []
        waves += [seconds % DAY / DAY] if self.step < DAY else []
        return _waves(waves, count)


def _waves(phases: list[np.ndarray], count: int) -> Tensor:
    if not phases:
        return torch.zeros(count, 0)
    angles = torch.tensor(np.stack(phases, 1) * 2 * pi, dtype=torch.float32)
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def _seconds(time: datetime) -> int:
    return round((time - EPOCH).total_seconds())


def _months(time: datetime) -> int:
    return (time.year - 1970) * 12 + time.month - 1


def _gaps(numbers: Sequence[int]) -> list[int]:
    ordered = sorted(set(numbers))
    return [b - a for a, b in itertools.pairwise(ordered)] or [1]


def _commonest(gaps: Sequence[int]) -> int:
    counts = Counter(gaps)
    return min(counts, key=lambda gap: (-counts[gap], gap))
