"""Times to places on a regular grid and back."""

from datetime import datetime, timedelta

import pytest
import torch

from elman.data import Frequency
from elman.errors import DataError, OptionError

START = datetime(2020, 1, 31, 6, 30)


def days(*offsets: float) -> list[datetime]:
    return [START + timedelta(days=offset) for offset in offsets]


@pytest.mark.parametrize(
    ("times", "name", "season"),
    [
        (days(0, 1, 2, 5), "a day", 7),
        (days(0, 7, 14), "a week", 52),
        (days(0, 1 / 24, 2 / 24, 4 / 24), "an hour", 24),
        (days(0, 1 / 48, 2 / 48), "30 minutes", 48),
        ([datetime(2020, month, 1) for month in (1, 2, 3, 12)], "a month", 12),
        ([datetime(2020, month, 1) for month in (1, 4, 10)], "a quarter", 4),
        ([datetime(year, 7, 1) for year in (1990, 1991, 1995)], "a year", 1),
        ([780, 790, 810], "10 steps", 1),
    ],
)
def test_found_out(times: list[datetime] | list[int], name: str, season: int) -> None:
    found = Frequency.of(times)
    assert (found.name, found.season) == (name, season)
    assert [found.time(found.number(time)) for time in times] == times
    assert found.time(found.number(times[0]) + 1) > times[0]  # pyright: ignore[reportOperatorIssue]


def test_the_end_of_a_month_is_a_month() -> None:
    found = Frequency.of([datetime(2020, 1, 31), datetime(2020, 2, 29), datetime(2020, 3, 31)])
    assert found.name == "a month"
    assert [found.number(datetime(2020, month, day)) for month, day in ((1, 31), (2, 29), (3, 31))] == [600, 601, 602]


def test_irregular_times_are_refused() -> None:
    with pytest.raises(DataError, match="4 of 6 gaps are no multiple"):
        Frequency.of(days(0, 1, 2, 2.3, 3.51, 4.12, 5.7))


def test_named() -> None:
    assert Frequency.named("15min", START).step == 900
    assert Frequency.named("q", START).name == "a quarter"
    with pytest.raises(OptionError, match="received 'fortnight'"):
        Frequency.named("fortnight", START)


def test_the_calendar_goes_round() -> None:
    hours = Frequency.of(days(0, 1 / 24, 2 / 24))
    rows = hours.calendar(100, 25)
    assert rows.shape == (25, 6)
    torch.testing.assert_close(rows[0, 2], rows[24, 2])
    assert Frequency("numbers", 1).calendar(0, 3).shape == (3, 0)
