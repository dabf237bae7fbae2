"""Thresholds of errors."""

from math import inf, isnan
from pathlib import Path

import pytest
import torch

from elman.errors import OptionError, RunError
from elman.tasks.unusual import Threshold, auroc


def test_of_usual_errors_to_come_one_percent_lies_above() -> None:
    errors = torch.rand(400, 398)
    above = [(one[1] > Threshold.of(one[0]).value).float() for one in errors.unflatten(1, (2, 199)).unbind(0)]
    assert float(torch.stack(above).mean()) == pytest.approx(0.01, abs=0.003)  # 79,600 draws


def test_too_few_errors_promise_nothing() -> None:
    assert Threshold.of(torch.rand(98)).value == inf
    assert Threshold.of(torch.arange(99.0)).value == 98
    assert Threshold.of(torch.tensor([torch.nan] * 50 + [1.0] * 99)).value == 1


def test_a_folder_keeps_it(tmp_path: Path) -> None:
    assert Threshold.load(tmp_path) is None
    for value in (0.25, inf):
        Threshold(value).save(tmp_path)
        assert Threshold.load(tmp_path) == Threshold(value)
    (tmp_path / "unusual.json").write_text('{"threshold": "high"}')
    with pytest.raises(RunError, match=r"unusual.json is damaged"):
        Threshold.load(tmp_path)


def test_who_has_none_says_so() -> None:
    assert Threshold.wanted(Threshold(2.0)) == Threshold(2.0)
    with pytest.raises(OptionError, match="this run has no threshold, so nothing is unusual"):
        Threshold.wanted(None)


def test_ranks_say_what_all_pairs_say() -> None:
    errors, unusual = torch.randint(0, 9, (200,)).float(), torch.rand(200) < 0.3
    pairs = errors[unusual].unsqueeze(1) - errors[~unusual]
    assert auroc(errors, unusual) == pytest.approx(float(((pairs > 0) + 0.5 * (pairs == 0)).double().mean()))
    assert isnan(auroc([1.0, 2.0], [False, False]))
