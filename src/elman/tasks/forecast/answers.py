"""Forecasts as rows of a table.

Key: B series, L levels, H steps of the horizon.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from torch import Tensor

from elman.data import Series
from elman.errors import DataError
from elman.tasks.forecast.memory import SeriesMemory


def rows_of(
    one: Series, memory: SeriesMemory, levels: Sequence[float], middle: Tensor, quantiles: Tensor
) -> Iterator[dict[str, Any]]:
    """A row for each step behind a series: its forecast (H,), and the ends of its intervals (H, L)."""
    for step, value in enumerate(middle.tolist()):
        time = memory.frequency.time(one.start + len(one) + step)
        row = {"unique_id": one.name, "ds": str(time) if isinstance(time, datetime) else time, "forecast": value}
        for place, level in enumerate(levels):
            if level != 0.5:
                share = f"{abs(2 * level - 1) * 100:g}"
                row[f"{'lo' if level < 0.5 else 'hi'}-{share}"] = float(quantiles[step, place])
        yield row


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
