"""Forecasts without a network, against numbers that others have published."""

import os
from pathlib import Path

import numpy as np
import pytest

from elman.tasks.forecast.naive import naive2, seasonal_factors
from elman.tasks.forecast.scores import Judged, beats_naive, interval_scores, point_scores

DATA = Path(os.environ.get("ELMAN_DATA", "../shared/data"))


def judged(known: np.ndarray, came: np.ndarray, said: np.ndarray) -> Judged:
    return Judged("a", known, came, said, np.stack([said - 1, said, said + 1]))


def test_a_perfect_forecast_has_no_error() -> None:
    known, came = np.arange(10.0), np.arange(10.0, 13.0)
    scores = point_scores([judged(known, came, came)], season=1)
    assert scores["mae"] == scores["smape"] == scores["mase"] == 0
    assert scores["mae of naive"] == 2


def test_the_season_is_taken_out_and_put_back() -> None:
    factors = np.array([0.5, 1.0, 1.5, 1.0])
    known = np.tile(factors, 10) * 20
    np.testing.assert_allclose(seasonal_factors(known, 4), factors)
    np.testing.assert_allclose(naive2(known[:-1], 5, 4), [20, 10, 20, 30, 20])


def test_intervals_are_counted() -> None:
    came = np.array([0.0, 0.5, 3.0, np.nan])
    scores = interval_scores([judged(np.arange(4.0), came, np.zeros(4))], [0.1, 0.5, 0.9])
    assert scores["coverage of 80%"] == pytest.approx(2 / 3)


@pytest.mark.skipif(not (DATA / "m4").is_dir(), reason="needs the M4 competition's data in ELMAN_DATA")
def test_the_naive_scores_of_the_m4_competition() -> None:
    import gzip

    tables = [gzip.decompress((DATA / f"m4/Hourly-{name}.csv.gz").read_bytes()).decode() for name in ("train", "test")]
    rows = [[line.replace('"', "").split(",")[1:] for line in text.splitlines()[1:]] for text in tables]
    pairs = [
        (np.array([float(v) for v in a if v]), np.array([float(v) for v in b if v])) for a, b in zip(*rows, strict=True)
    ]
    scores = point_scores([judged(known, came, came) for known, came in pairs], season=24)
    assert scores["smape of seasonal naive"] == pytest.approx(13.912, abs=1e-3)
    assert scores["mase of seasonal naive"] == pytest.approx(1.193, abs=1e-3)
    assert scores["smape of naive"] == pytest.approx(43.003, abs=1e-3)
    assert scores["owa of seasonal naive"] == pytest.approx(0.6275, abs=1e-3)


def test_only_a_clear_difference_is_called_better() -> None:
    generator = np.random.default_rng(0)
    known = np.arange(30.0)
    windows = [judged(known, 29 + came, 29 + came + 0.1) for came in generator.normal(3, 1, (20, 4))]
    assert beats_naive(windows, season=1).startswith("the model is better than the naive forecast: mae 0.1 against")
    chance = [judged(known, 29 + came, 29 + said) for came, said in generator.normal(0, 1, (20, 2, 4))]
    assert beats_naive(chance, season=1).startswith("the model is NOT clearly better")
    assert "NOT clearly" in beats_naive(windows[:1], season=7)
