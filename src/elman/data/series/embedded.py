"""Series that need no file."""

from collections.abc import Callable
from typing import Literal

from elman.data.series.airline import airline_passengers
from elman.data.series.series import SeriesSet
from elman.data.series.walk import random_walk

EmbeddedSeries = Literal["airline", "walk"]

SETS: dict[EmbeddedSeries, Callable[[], SeriesSet]] = {"airline": airline_passengers, "walk": random_walk}


def embedded_series(name: EmbeddedSeries) -> SeriesSet:
    """A set by its name, always the same one."""
    return SETS[name]()
