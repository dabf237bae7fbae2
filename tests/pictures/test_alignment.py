"""Alignments: every weight has its cell, any size and script is drawn, and what does not fit is said in one line."""

from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.image import imread

from elman.errors import ShapeError
from elman.pictures import draw_alignment
from elman.pictures.heat_map import LONGEST, _short

DOTS = 48  # a cell of 0.4 inches at 120 dots an inch


def cells(path: Path, rows: int, columns: int) -> np.ndarray:
    """How dark each cell is in its middle; the map's frame is the first long line from above and from the left."""
    dark = 1 - imread(path)[..., :3].mean(-1)
    top = np.flatnonzero((dark > 0.9).sum(1) > 0.9 * columns * DOTS)[0]
    left = np.flatnonzero((dark > 0.9).sum(0) > 0.9 * rows * DOTS)[0]
    down, along = (first + DOTS // 2 + DOTS * np.arange(size) for first, size in ((top, rows), (left, columns)))
    return dark[np.ix_(down, along)]


def test_target_units_are_rows_and_source_units_are_columns(tmp_path):
    weights = torch.tensor([[0.0, 0.2, 0.4], [0.3, 0.1, 0.5]])
    draw_alignment(tmp_path / "a.png", ["."] * 3, ["."] * 2, weights)
    found = cells(tmp_path / "a.png", 2, 3)
    assert (found.ravel().argsort() == weights.numpy().ravel().argsort()).all()


@pytest.mark.parametrize(("target", "source"), [(1, 1), (2, 2), (1, 30), (30, 1), (13, 7), (60, 60)])
def test_any_number_of_units(tmp_path, target, source):
    path = tmp_path / "a.png"
    draw_alignment(path, ["word"] * source, ["wort"] * target, torch.rand(target, source).softmax(-1), "a title")
    height, width, _ = imread(path).shape
    assert 30 * target < height < 300 + 48 * target
    assert 30 * source < width < 300 + 48 * source


@pytest.mark.parametrize(
    "unit", ["$x_1", "$a$", "_", "", " ", "\n", "\ud800", "a" * 500, "%s{}", "<unk>", "\\frac", "e\u0301", "▁the"]
)
def test_any_unit_is_text_and_no_formula(tmp_path, unit):
    draw_alignment(tmp_path / "a.png", [unit, "b"], ["c", unit], torch.eye(2), title=unit)
    assert (tmp_path / "a.png").stat().st_size


@pytest.mark.parametrize(
    "weights",
    [
        torch.full((2, 2), float("nan")),
        torch.tensor([[float("inf"), 0.5], [-float("inf"), 0.0]]),
        torch.zeros(2, 2),
        -torch.rand(2, 2),
        torch.rand(2, 2, dtype=torch.bfloat16, requires_grad=True),
        torch.ones(2, 2, dtype=torch.bool),
    ],
)
def test_any_weights(tmp_path, weights):
    draw_alignment(tmp_path / "a.png", ["a", "b"], ["c", "d"], weights)


@pytest.mark.parametrize(
    ("source", "target", "weights", "message"),
    [
        ([], ["a"], torch.zeros(1, 0), "expects source and target units; received 0 and 1"),
        (["a"], [], torch.zeros(0, 1), "expects source and target units; received 1 and 0"),
        (["a", "b"], ["c"], torch.zeros(2, 1), r"weights expects \(1, 2\), target by source units; received \(2, 1\)"),
        (["a"], ["c"], torch.zeros(1), r"weights expects \(1, 1\).*received \(1,\)"),
    ],
)
def test_what_does_not_fit_is_said_and_nothing_is_written(tmp_path, source, target, weights, message):
    with pytest.raises(ShapeError, match=message) as error:
        draw_alignment(tmp_path / "a.png", source, target, weights)
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_long_units_are_cut():
    assert _short("x" * LONGEST) == "x" * LONGEST
    assert _short("x" * (LONGEST + 1)) == "x" * (LONGEST - 1) + "…"
