"""Curves: drawn with whatever there is."""

import pytest
from matplotlib.image import imread

from elman.errors import OptionError
from elman.pictures import draw_gradient_flow, draw_learning_curves


@pytest.mark.parametrize("train", [[], [(1, 3.0)], [(1, 3.0), (2, float("nan"))]])
@pytest.mark.parametrize("valid", [[], [(2, 2.5)]])
def test_learning_curves_of_any_length(tmp_path, train, valid):
    draw_learning_curves(tmp_path / "a.png", train, valid)
    assert imread(tmp_path / "a.png").shape[:2] == (480, 840)


@pytest.mark.parametrize(
    "norms", [{"lstm": [1.0, 0.5], "_$zero": [0.0, 0.0]}, {"nothing": []}, {"bad": [float("nan"), 1.0]}]
)
def test_gradient_flow_of_any_norms(tmp_path, norms):
    draw_gradient_flow(tmp_path / "a.png", norms)
    assert imread(tmp_path / "a.png").shape[:2] == (480, 840)


def test_gradient_flow_of_no_network_is_refused(tmp_path):
    with pytest.raises(OptionError, match="norms expects at least one network"):
        draw_gradient_flow(tmp_path / "a.png", {})
    assert not list(tmp_path.iterdir())
