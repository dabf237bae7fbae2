"""Series from long tables: what is mended is told, what cannot be is refused."""

from datetime import datetime
from pathlib import Path

import polars
import pytest
import torch

from elman.data import Series, SeriesColumns, SeriesSet, SeriesWindows, facts_of, read_series
from elman.errors import DataError

DAYS = [f"2020-01-{day:02}" for day in range(1, 11)]


def table(**columns: list[object]) -> polars.DataFrame:
    return polars.DataFrame(columns, strict=False)


def read(frame: polars.DataFrame, **columns: str) -> SeriesSet:
    return read_series(frame, SeriesColumns(**columns))


def test_one_series_and_its_frequency(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("ds,y\n" + "".join(f"{day},{n}\n" for n, day in enumerate(DAYS)))
    found = read_series(path, SeriesColumns())
    assert found.series[0].values.tolist() == list(range(10))
    assert found.notes == ("1 series, a day apart",)
    assert found.frequency.time(found.series[0].start) == datetime(2020, 1, 1)


def test_several_series_and_several_targets() -> None:
    frame = table(unique_id=["b", "a", "b", "a"], ds=[1, 1, 2, 2], y=[1, 2, 3, 4], z=[5, 6, 7, 8])
    assert [(one.name, one.values.tolist()) for one in read(frame).series] == [("b", [1, 3]), ("a", [2, 4])]
    found = read(frame, target="y,z")
    assert [one.name for one in found.series] == ["b y", "a y", "b z", "a z"]


def test_what_is_mended_is_counted() -> None:
    times = [DAYS[0], DAYS[2], DAYS[1], DAYS[1], DAYS[5], DAYS[6]]
    found = read(table(ds=times, y=[1.0, 3.0, 9.0, 2.0, float("inf"), 7.0]))
    one = found.series[0].values
    assert one[[0, 1, 2, 6]].tolist() == [1, 2, 3, 7]
    assert one[3:6].isnan().all()
    assert found.notes[1:] == (
        "1 series have rows out of order, which are sorted",
        "1 rows have a time that comes again, of which the last counts",
        "2 steps between have no row, and no value",
        "1 values are missing or infinite",
    )


def test_a_series_without_values_is_left_out() -> None:
    frame = table(unique_id=["a", "a", "b", "b"], ds=[1, 2, 1, 2], y=[1, 2, None, None])
    found = read(frame)
    assert [one.name for one in found.series] == ["a"]
    assert found.notes[1] == "1 series have no value at all and are left out, such as 'b'"
    with pytest.raises(DataError, match="has no value in y"):
        read(frame.filter(polars.col("unique_id") == "b"))


@pytest.mark.parametrize(
    ("frame", "columns", "message"),
    [
        (table(ds=DAYS, yy=list(range(10))), {}, "no column 'y' .*there is: ds, yy.*did you mean 'yy'"),
        (table(ds=DAYS, y=["a"] * 10), {}, "expects numbers in the column 'y'; received 'a'"),
        (table(ds=["soon", "later"], y=[1, 2]), {}, "times that cannot be read, such as 'soon'"),
        (
            table(unique_id=["a"] * 3 + ["b"] * 3, ds=[*DAYS[:3], *DAYS[:6:2]], y=[1] * 6),
            {},
            "different frequencies: 'a' is a day apart, 'b' 172,800 seconds",
        ),
        (table(ds=DAYS[:2], y=[1, 2], kind=["x", "z"]), {"static": "kind"}, "several values of kind"),
    ],
)
def test_bad_tables(frame: polars.DataFrame, columns: dict[str, str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(frame, **columns)


def test_words_become_numbers_as_training_knew_them() -> None:
    columns = SeriesColumns(past="wind")
    found = read_series(table(ds=DAYS[:3], y=[1, 2, 3], wind=["NW", "SE", "NW"]), columns)
    assert found.series[0].past.tolist() == [[1, 0], [0, 1], [1, 0]]
    later = read_series(table(ds=DAYS[:2], y=[1, 2], wind=["SE", "cv"]), columns, found.categories, found.frequency)
    assert later.series[0].past.tolist() == [[0, 1], [0, 0]]


def test_rows_without_a_target_say_what_is_known_ahead() -> None:
    found = read(table(ds=DAYS[:5], y=[1, 2, 3, None, None], holiday=[0, 0, 1, 1, 0]), future="holiday")
    assert len(found.series[0]) == 3
    assert found.series[0].future.flatten().tolist() == [0, 0, 1, 1, 0]


def test_what_came_later_goes_behind() -> None:
    def series(start: int, *values: float) -> Series:
        count = len(values)
        empty = torch.zeros(count, 0)
        return Series("a", start, torch.tensor(values, dtype=torch.float32), empty, empty, torch.zeros(0))

    joined = series(5, 1, 2, 3).then(series(7, 9, 8))
    assert (joined.start, joined.values.tolist()) == (5, [1, 2, 9, 8])
    assert series(0, 1).then(series(3, 2)).values.isnan().tolist() == [False, True, True, False]


def test_windows_have_nothing_before_a_series_begins() -> None:
    found = read(table(ds=DAYS, y=list(range(10)), holiday=list(range(10))), future="holiday")
    facts = torch.stack([facts_of(one.values) for one in found.series])
    windows = SeriesWindows(found.series, facts, torch.tensor([1]), found.frequency, 4, 2, [[2, 8]], 8)
    (batch,) = windows
    assert batch.known.T.nan_to_num(-1).tolist() == [[-1, -1, 0, 1], [4, 5, 6, 7]]
    assert batch.coming.T.tolist() == [[2, 3], [8, 9]]
    assert batch.ahead[:, 1, 0].tolist() == [4, 5, 6, 7, 8, 9]
    with pytest.raises(DataError, match="expected 2 steps to forecast"):
        SeriesWindows(found.series, facts, torch.tensor([1]), found.frequency, 4, 2, [[]], 8)
