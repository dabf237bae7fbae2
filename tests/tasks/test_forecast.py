"""From tables of series to forecasts with intervals that hold."""

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
from elman.tasks.forecast.backtest import Backtest
from elman.tasks.forecast.tracking import Tracker

SMALL: dict[str, Any] = {
    "embedding_size": 8,
    "hidden_size": 16,
    "horizon": 6,
    "context": 24,
    "batch_size": 16,
    "epochs": 6,
    "learning_rate": 0.01,
    "epoch_windows": 200,
}
START = datetime(2024, 1, 1)


def waves(count: int = 240, series: tuple[str, ...] = ("a", "b"), first: int = 0, **more: Any) -> polars.DataFrame:
    """Hours of series that go round in a day, each at a height of its own."""
    rows = []
    for number, name in enumerate(series):
        for step in range(first, first + count):
            value = 10.0**number * (5 + math.sin(2 * math.pi * step / 24 + number))
            others = {column: function(step) for column, function in more.items()}
            rows.append({"unique_id": name, "ds": START + timedelta(hours=step), "y": value, **others})
    return polars.DataFrame(rows)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    waves().write_parquet(tmp_path / "waves.parquet")
    return tmp_path / "waves.parquet"


def train(path: Path, tmp_path: Path, **settings: Any) -> Model:
    return elman.train("forecast", train=path, out=tmp_path / "run", **SMALL | settings)


@pytest.mark.parametrize("decode", ["direct", "recursive", "segment"])
def test_waves_go_on(path: Path, tmp_path: Path, decode: str) -> None:
    model = train(path, tmp_path, decode=decode, segment=6, epochs=12)
    waves(48, first=240).write_parquet(tmp_path / "later.parquet")
    scores = model.evaluate(tmp_path / "later.parquet")
    assert scores["mae"] < 0.5 * scores["mae of naive"]
    rows = model.predict()
    assert len(rows) == 12
    assert rows[0]["unique_id"] == "a"
    assert rows[0]["ds"] == "2024-01-11 00:00:00"
    assert rows[0]["lo-95"] <= rows[0]["lo-80"] <= rows[0]["forecast"] <= rows[0]["hi-80"] <= rows[0]["hi-95"]
    assert elman.load(tmp_path / "run").predict() == rows


@pytest.mark.parametrize("network", ["transformer", "cnn", "mlp"])
def test_other_networks_in_the_place_of_recurrent_ones(path: Path, tmp_path: Path, network: str) -> None:
    assert len(train(path, tmp_path, network=network, epochs=1).predict()) == 12
    with pytest.raises(OptionError, match="reads whole windows; take decode = direct"):
        train(path, tmp_path / "b", network=network, decode="recursive")


@pytest.mark.parametrize("head", ["mse", "mae", "quantiles", "student_t", "negative_binomial"])
def test_every_head_has_intervals(path: Path, tmp_path: Path, head: str) -> None:
    model = train(path, tmp_path, head=head, epochs=2)
    rows = model.predict()
    assert all(row["lo-80"] <= row["hi-80"] for row in rows)
    assert (tmp_path / "run/pictures/forecast.png").stat().st_size > 1000


@pytest.mark.parametrize("scaling", ["window", "last", "standard", "robust", "none"])
def test_every_scaling(path: Path, tmp_path: Path, scaling: str) -> None:
    rows = train(path, tmp_path, scaling=scaling, epochs=1, transform="log").predict()
    assert all(math.isfinite(row["forecast"]) for row in rows)


def test_series_that_training_has_not_seen(path: Path, tmp_path: Path) -> None:
    model = train(path, tmp_path, epochs=10)
    rows = model.predict(waves(60, ("new",)))
    assert [row["unique_id"] for row in rows] == ["new"] * 6
    assert rows[0]["ds"] == str(START + timedelta(hours=60))
    expected = 5 + math.sin(2 * math.pi * 60 / 24)
    assert rows[0]["forecast"] == pytest.approx(expected, abs=1)


def test_what_came_later_is_joined_to_what_is_remembered(path: Path, tmp_path: Path) -> None:
    model = train(path, tmp_path, epochs=1)
    (row, *_) = model.predict(waves(2, ("a",), first=240))
    assert row["ds"] == str(START + timedelta(hours=242))


def test_covariates(tmp_path: Path) -> None:
    frame = waves(240, past=lambda n: n % 5, ahead=lambda n: ["x", "z"][n % 2], kind=lambda n: 3.5)
    path = tmp_path / "a.parquet"
    frame.write_parquet(path)
    model = train(path, tmp_path, past="past", future="ahead", static="kind", epochs=1)
    with pytest.raises(DataError, match="known ahead of series 'a' stops at 2024-01-10 23:00:00; expected it up to"):
        model.predict()
    later = [
        {"unique_id": name, "ds": START + timedelta(hours=240 + n), "y": None, "past": None, "ahead": "x", "kind": 3.5}
        for name in ("a", "b")
        for n in range(6)
    ]
    rows = model.predict(polars.concat([frame, polars.DataFrame(later, schema_overrides=frame.schema)]))
    assert len(rows) == 12


def test_intervals_hold_what_they_promise(tmp_path: Path) -> None:
    import numpy as np

    noise = np.random.default_rng(0).normal(size=1500)
    frame = polars.DataFrame({"y": noise + 50})
    frame[:1200].write_parquet(tmp_path / "a.parquet")
    frame.write_parquet(tmp_path / "b.parquet")
    model = train(tmp_path / "a.parquet", tmp_path, validation_windows=40, epochs=3)
    scores = model.evaluate(tmp_path / "b.parquet")
    assert scores["coverage of 80%"] == pytest.approx(0.8, abs=0.08)
    assert scores["coverage of 95%"] == pytest.approx(0.95, abs=0.05)


def test_intervals_follow_what_comes(tmp_path: Path) -> None:
    import numpy as np

    noise = np.random.default_rng(0).normal(size=2400)
    noise[1200:] *= 3  # three times as restless as all that training has seen
    frame = polars.DataFrame({"y": noise + 50})
    frame[:1200].write_parquet(tmp_path / "a.parquet")
    model = train(tmp_path / "a.parquet", tmp_path, validation_windows=40, epochs=3, scaling="standard")
    frame.write_parquet(tmp_path / "b.parquet")
    judge = model.judge(tmp_path / "b.parquet")
    assert isinstance(judge, Backtest)
    windows = judge.windows
    early, late = (
        np.mean([(one.quantiles[0] <= one.came) & (one.came <= one.quantiles[-1]) for one in part])
        for part in (windows[:5], windows[-100:])
    )
    assert early < 0.8
    assert late == pytest.approx(0.95, abs=0.04)
    before, after = (model.predict(given)[0] for given in (frame[:1200], frame))
    assert after["hi-95"] - after["lo-95"] > 2 * (before["hi-95"] - before["lo-95"])


def test_one_number_far_away_does_not_spoil_intervals() -> None:
    tracker = Tracker([0.025, 0.5, 0.975])
    came = torch.randn(300, 4, generator=torch.Generator().manual_seed(0))
    came[40, 1] = 1000.0
    wider = []
    for number, each in enumerate(came):
        tracker.add(4 * number, torch.tensor([[-2.0, 0.0, 2.0]]).expand(4, -1), each)
        wider.append(float(tracker.wider(4 * number + 4)[-1]))
    assert max(map(abs, wider)) < 1.5


def test_windows_that_overlap_count_once() -> None:
    came = torch.randn(2000, generator=torch.Generator().manual_seed(0))
    last = []
    for stride in (1, 20):
        tracker, seen = Tracker([0.025, 0.5, 0.975]), []
        for origin in range(0, 1900, stride):
            seen.append(float(tracker.wider(origin)[-1]))
            tracker.add(origin, torch.tensor([[-1.0, 0.0, 1.0]]).expand(20, -1), came[origin : origin + 20])
        last.append(sum(seen[-len(seen) // 4 :]) / len(seen[-len(seen) // 4 :]))
    assert last[0] == pytest.approx(last[1], abs=0.2)
    assert last[0] == pytest.approx(0.96, abs=0.3)


def test_an_update_keeps_what_intervals_have_learned(tmp_path: Path) -> None:
    import numpy as np

    noise = np.random.default_rng(0).normal(size=1800)
    noise[1200:] *= 3
    frame = polars.DataFrame({"y": noise + 50})
    frame[:1200].write_parquet(tmp_path / "a.parquet")
    frame.write_parquet(tmp_path / "b.parquet")
    model = train(tmp_path / "a.parquet", tmp_path, validation_windows=40, epochs=3, scaling="standard")
    elman.update(tmp_path / "run", tmp_path / "b.parquet", tmp_path / "next", learning_rate=1e-4)
    before, after = (one.predict()[0] for one in (model, elman.load(tmp_path / "next")))
    assert after["hi-95"] - after["lo-95"] > 2 * (before["hi-95"] - before["lo-95"])


def test_windows_are_written_as_rows(path: Path, tmp_path: Path) -> None:
    model = train(path, tmp_path, epochs=1)
    later = waves(300)
    later.write_parquet(tmp_path / "later.parquet")
    judge = model.judge(tmp_path / "later.parquet", stride=3)
    table = polars.read_csv("\n".join(judge.written()).encode(), try_parse_dates=True)
    assert len(table) == 2 * 19 * 6
    first = table.filter(unique_id="b")[:6]
    assert first["cutoff"].unique().to_list() == [START + timedelta(hours=239)]
    assert first["ds"].to_list() == [START + timedelta(hours=240 + step) for step in range(6)]
    known = later.filter(unique_id="b")["y"][240:246].to_list()
    assert first["y"].to_list() == pytest.approx(known, rel=1e-5)
    errors = (table["y"] - table["forecast"]).abs().mean()
    assert errors == pytest.approx(judge.scores()["mae"], rel=1e-4)
    assert table.select((polars.col("lo-95") <= polars.col("hi-95")).all()).item()


def test_a_window_teaches_nothing_before_its_horizon_has_ended(path: Path, tmp_path: Path) -> None:
    model = train(path, tmp_path, epochs=1, validation_windows=4)
    later = waves(300)
    later.write_parquet(tmp_path / "later.parquet")
    changed = later.with_columns(
        y=polars.when(polars.col("ds") < START + timedelta(hours=288)).then(polars.col("y")).otherwise(99.0)
    )
    changed.write_parquet(tmp_path / "changed.parquet")
    both = [model.judge(tmp_path / f"{name}.parquet", stride=1) for name in ("later", "changed")]
    assert all(isinstance(one, Backtest) for one in both)
    pairs = [pair for pair in zip(*(one.windows for one in both), strict=True) if len(pair[0].known) <= 288]  # pyright: ignore[reportAttributeAccessIssue]
    assert len(pairs) > 80
    assert all((one.quantiles == other.quantiles).all() for one, other in pairs)


def test_a_random_walk_cannot_be_beaten_and_that_is_said(tmp_path: Path) -> None:
    import numpy as np

    steps = np.random.default_rng(0).normal(size=600) / 100
    polars.DataFrame({"y": 100 * np.exp(np.cumsum(steps))}).write_parquet(tmp_path / "a.parquet")
    settings = {"transform": "log", "scaling": "last", "changes": True, "validation_windows": 20}
    model = train(tmp_path / "a.parquet", tmp_path, **settings)
    judge = model.judge(tmp_path / "a.parquet")
    assert judge.notes()[0].startswith("the model is ")
    assert judge.scores()["mae"] > 0.9 * judge.scores()["mae of naive"]


def test_bad_input(path: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no column 'sales'"):
        train(path, tmp_path / "b", target="sales")
    minus = tmp_path / "minus.parquet"
    waves().with_columns(-polars.col("y")).write_parquet(minus)
    with pytest.raises(DataError, match="no logarithm"):
        train(minus, tmp_path / "c", transform="log")
    short = tmp_path / "short.parquet"
    waves(7).write_parquet(short)
    with pytest.raises(DataError, match="have no window: expected 6 steps to forecast"):
        train(short, tmp_path / "d")
    with pytest.raises(OptionError, match="intervals expects percents"):
        train(path, tmp_path / "e", intervals="80,x")
    with pytest.raises(OptionError, match="decode = segment has one layer"):
        train(path, tmp_path / "f", decode="segment", num_layers=2)


def test_a_run_that_was_stopped_reads_the_same_series(path: Path, tmp_path: Path) -> None:
    train(path, tmp_path, epochs=1)
    config = json.loads((tmp_path / "run/config.json").read_text())
    assert config["facts"]["season"] == 24
    assert config["facts"]["validation windows"] == 2


def test_validation_series_that_training_has_not_seen_are_judged_too(path: Path, tmp_path: Path) -> None:
    waves(60, ("new",)).write_parquet(tmp_path / "new.parquet")
    model = train(path, tmp_path, valid=tmp_path / "new.parquet", epochs=1)
    assert model.config["facts"]["validation windows"] == 6
    assert {row["unique_id"] for row in model.predict()} == {"a", "b"}


def test_no_model_knows_where_a_random_walk_goes(tmp_path: Path) -> None:
    settings = {"embedded": "walk", "transform": "log", "changes": True, "scaling": "last", "validation_windows": 60}
    elman.train("forecast", out=tmp_path / "run", **SMALL | settings | {"epochs": 2, "horizon": 5})
    (note,) = json.loads((tmp_path / "run/metrics.json").read_text())["notes"]
    assert note.startswith("the model is NOT clearly better than the naive forecast")
    assert note in (tmp_path / "run/card.md").read_text()
