"""Forecasts as rows of a table.

Key: B series, L levels, H steps of the horizon.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from math import isfinite
from typing import Any

import numpy as np

from elman.data import Series
from elman.errors import DataError
from elman.tasks.forecast.memory import SeriesMemory

Array = np.ndarray


def rows_of(
    one: Series, origin: int, memory: SeriesMemory, levels: Sequence[float], middle: Array, quantiles: Array
) -> Iterator[dict[str, Any]]:
    """A row for each step of a series from an origin on: its forecast (H,), and the ends of its intervals (L, H)."""
    for step, value in enumerate(middle.tolist()):
        row = {"unique_id": one.name, "ds": time_of(one, origin + step, memory), "forecast": value}
        for place, level in enumerate(levels):
            if level != 0.5:
                share = f"{abs(2 * level - 1) * 100:g}"
                row[f"{'lo' if level < 0.5 else 'hi'}-{share}"] = float(quantiles[place, step])
        yield row


def number_or_none(value: float) -> float | None:
    """A number for JSON, which has no NaN and nothing infinite.

    >>> number_or_none(2.5), number_or_none(float("nan"))
    (2.5, None)
    """
    return value if isfinite(value) else None


def time_of(one: Series, step: int, memory: SeriesMemory) -> str | int:
    """When a step of a series is."""
    time = memory.frequency.time(one.start + step)
    return str(time) if isinstance(time, datetime) else time


def check_ahead(series: Sequence[Series], memory: SeriesMemory, horizon: int) -> None:
    """Is known ahead what has to be?

    Raises:
        DataError: It stops too early.
    """
    if not len(memory.scalers[1].mean):
        return
    for one in series:
        if len(one.future) < len(one) + horizon:
            time, last = memory.frequency.time, one.start + len(one.future) - 1
            raise DataError(
                f"what is known ahead of series {one.name!r} stops at {time(last)}; expected it up to "
                f"{time(one.start + len(one) + horizon - 1)}; add rows without a target"
            )
