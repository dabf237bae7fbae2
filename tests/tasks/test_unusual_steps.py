"""Steps of series that nobody could expect."""

import json
import math
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars
import pytest
import torch

import elman
from elman.errors import DataError, OptionError
from elman.tasks import Model
from elman.tasks.forecast.unusual import surprises
from elman.tasks.unusual import Threshold, auroc

SMALL: dict[str, Any] = {
    "embedding_size": 8,
    "hidden_size": 16,
    "horizon": 6,
    "context": 24,
    "batch_size": 16,
    "epochs": 8,
    "learning_rate": 0.01,
    "epoch_windows": 200,
    "validation_windows": 12,
    "cell": "gru",
}


def waves(first: int, count: int) -> polars.DataFrame:
    """Hours of two series that go round in a day, one a hundred times as high, with a little noise."""
    noise = torch.randn(2, first + count, generator=torch.Generator().manual_seed(1)).tolist()
    return polars.DataFrame(
        [
            {
                "unique_id": name,
                "ds": datetime(2024, 1, 1) + timedelta(hours=step),
                "y": height * (5 + math.sin(2 * math.pi * step / 24 + height) + 0.02 * noise[number][step]),
            }
            for number, (name, height) in enumerate((("a", 1.0), ("b", 100.0)))
            for step in range(first, first + count)
        ]
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("waves")
    waves(0, 400).write_parquet(folder / "waves.parquet")
    elman.train("forecast", train=folder / "waves.parquet", out=folder / "run", **SMALL)
    return elman.load(folder / "run")


def test_steps_that_jump_are_told_from_others(model: Model, tmp_path: Path) -> None:
    jumps = {("a", 430), ("a", 447), ("b", 418), ("b", 455)}
    frame = waves(400, 60).with_columns(step=polars.int_range(0, 120) % 60 + 400)
    odd = [(name, step) in jumps for name, step in zip(frame["unique_id"], frame["step"], strict=True)]
    values = [value * (1.3 if one else 1) for value, one in zip(frame["y"], odd, strict=True)]
    path = tmp_path / "later.parquet"
    frame.with_columns(y=polars.Series(values)).drop("step").write_parquet(path)
    rows = model.predict([path], unusual=True)
    assert [row["unique_id"] for row in rows] == frame["unique_id"].to_list()
    assert [row["y"] for row in rows] == pytest.approx(values, rel=1e-6)
    assert all(row["unusual"] for row, one in zip(rows, odd, strict=True) if one)
    assert auroc([row["error"] for row in rows], odd) > 0.95
    calm = [row["unusual"] for row in rows if row["ds"] < "2024-01-18 10"]  # before the first jump
    assert sum(calm) <= 0.1 * len(calm)
    assert [row["ds"] for row in rows[:1]] == [str(frame["ds"][0])]


def test_errors_are_beside_what_is_usual(model: Model, tmp_path: Path) -> None:
    waves(400, 1).write_parquet(tmp_path / "next.parquet")
    rows = model.predict([tmp_path / "next.parquet"], unusual=True)
    ahead = {row["unique_id"]: row["forecast"] for row in reversed(model.predict())}
    for row in rows:
        known = waves(376, 24).filter(polars.col("unique_id") == row["unique_id"])["y"].to_torch()
        assert row["error"] == pytest.approx(
            abs(row["y"] - row["forecast"]) / float(known.diff().abs().mean()), rel=1e-3
        )
        assert row["forecast"] == pytest.approx(ahead[row["unique_id"]], rel=1e-5)


def test_what_cannot_be_judged(model: Model, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="unusual judges new steps; received none; give them with --input"):
        model.predict("", unusual=True)
    waves(300, 50).write_parquet(tmp_path / "old.parquet")
    assert model.predict([tmp_path / "old.parquet"], unusual=True) == []


def columns(first: int, values: list[float | None]) -> dict[str, list[Any]]:
    """As JSON has them."""
    times = [str(datetime(2024, 1, 1) + timedelta(hours=first + step)) for step in range(len(values))]
    return {"unique_id": ["a"] * len(values), "ds": times, "y": [*values]}


def test_what_is_missing_is_nothing_in_json(model: Model) -> None:
    rows = model.predict([columns(400, [5, None, 7])], unusual=True)
    assert [row["y"] for row in rows] == [5, None, 7]
    assert [row["error"] is None for row in rows] == [False, True, False]
    assert [row["unusual"] for row in rows][1] is False
    json.dumps(rows, allow_nan=False)
    with pytest.raises(DataError, match="the frame has no rows; expected at least one"):
        model.predict([{"ds": [], "y": []}])


def test_where_nothing_changed_too_little_is_known(model: Model) -> None:
    rows = model.predict([columns(400, [5.0] * 30 + [6.0, 5.0])], unusual=True)
    assert [row["error"] is None for row in rows] == [False] * 24 + [True] * 7 + [False]
    assert not any(row["unusual"] for row in rows[24:31])
    still, task = polars.DataFrame(columns(0, [5.0] * 200)), model.task
    network, seen = model.network, task._read(still).series
    errors = [one.error for one in surprises(task, task.windowing, network, seen, [30])]
    assert len(errors) == 170
    assert Threshold.of(torch.tensor(errors)).value == math.inf  # no error counts
