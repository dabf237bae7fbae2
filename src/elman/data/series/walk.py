"""A random walk: prices of which nothing can be known beforehand but how far they may go."""

from datetime import datetime, timedelta
from math import exp
from random import Random

from elman.data.series.series import SeriesColumns, SeriesSet, read_series

DAYS = 1500
DEVIATION = 0.01
"""Of a day's log return."""


def random_walk(seed: int = 0) -> SeriesSet:
    """Made-up prices, the same for the same seed; a forecaster that beats the last price here is fooled by chance.

    Example:
        >>> random_walk().series[0].values[:2]
        tensor([100.9462,  99.5462])
    """
    import polars

    random = Random(seed)
    price, rows = 100.0, []
    for day in range(DAYS):
        price *= exp(random.gauss(0, DEVIATION))
        rows.append((datetime(2020, 1, 1) + timedelta(days=day), price))
    found = read_series(polars.DataFrame(rows, schema=["ds", "y"], orient="row"), SeriesColumns())
    note = f"no series given: forecasting a random walk of {DAYS:,} days, of which nothing can be known"
    return SeriesSet(found.series, found.frequency, found.categories, (note, *found.notes))
