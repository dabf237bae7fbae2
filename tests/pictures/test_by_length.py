"""Scores by length: buckets in order, Chinese names in their own shapes, one line for what is missing."""

import warnings

import numpy as np
import pytest
from matplotlib.image import imread

from elman.errors import OptionError
from elman.pictures import draw_by_length
from elman.pictures.by_length import _counts, _ordered
from elman.pictures.fonts import find_fonts

POINTS = [("1-8", 30.0, 40), ("9-12", 20.5, 1200)]


def test_chinese_names_are_drawn_each_in_its_shape(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if find_fonts(["猫狗"]).missing:
            pytest.skip("no installed font has Chinese characters; install fonts-noto-cjk")
    pictures = []
    for name in ("猫", "狗", "□", "猫"):
        draw_by_length(tmp_path / "a.png", {name: POINTS}, "BLEU")
        pictures.append(imread(tmp_path / "a.png"))
    cat, dog, box, again = pictures
    assert cat.shape == dog.shape
    assert not np.array_equal(cat, dog)
    assert not np.array_equal(cat, box)
    assert np.array_equal(cat, again)


@pytest.mark.parametrize("name", ["", "_hidden", "$x", "a\nb"])
def test_any_name(tmp_path, name):
    draw_by_length(tmp_path / "a.png", {name: POINTS, "other": [("31+", float("nan"), 1)]}, f"BLEU {name}")
    assert imread(tmp_path / "a.png").shape[:2] == (480, 840)


def test_buckets_stand_in_order_wherever_they_are_missing():
    assert _ordered({"a": [("13-16", 1, 1), ("31+", 1, 1)], "b": [("9-12", 1, 1), ("?", 1, 1), ("1-8", 1, 1)]}) == [
        *("1-8", "9-12", "13-16", "31+", "?")
    ]


def test_counts_are_said_once_where_all_agree():
    series = {"a": [("1-8", 1.0, 4000)], "b": [("1-8", 2.0, 4000)], "c": [("1-8", 2.0, 7)]}
    assert _counts({name: series[name] for name in "ab"}, "1-8") == "n = 4,000"
    assert _counts(series, "1-8") == "n = 4,000 / 7"


@pytest.mark.parametrize(
    ("series", "message"), [({}, "at least one line"), ({"a": POINTS, "b": []}, "'b' expects at least one bucket")]
)
def test_nothing_to_draw_is_said_and_nothing_is_written(tmp_path, series, message):
    with pytest.raises(OptionError, match=message):
        draw_by_length(tmp_path / "a.png", series, "BLEU")
    assert not list(tmp_path.iterdir())
