"""Several networks on the same data, side by side."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from elman.errors import OptionError, RunError
from elman.training.comparison import Measured, compare, settings_of

SMALL = {"embedding_size": 8, "hidden_size": 8, "batch_size": 16, "units": "word", "learning_rate": 0.02}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    lines = [f"{n % 2} {'it was ' * (1 + n % 5)}{('good', 'bad')[n % 2]}" for n in range(120)]
    (tmp_path / "train.txt").write_text("\n".join(lines))
    return tmp_path / "train.txt"


def run(path: Path, out: Path, *names: str, seeds: int = 1) -> list[Measured]:
    given = {"train": path, **SMALL}
    return compare("classify", names, out, given, budget=1.0, seeds=seeds, console=Console(quiet=True))


def test_every_network_is_trained_and_measured(path: Path, tmp_path: Path) -> None:
    found = run(path, tmp_path / "out", "gru", "gru+attention", "mlp")
    assert [one.name for one in found] == ["gru", "gru+attention", "mlp"]
    gru, attention, mlp = found
    assert gru.parameters < attention.parameters
    assert gru.reach is not None
    assert mlp.reach is None
    assert all(0 <= one.score <= 1 and one.epochs >= 1 and one.steps_per_second > 0 for one in found)
    assert sum(count for _, _, count in gru.by_length) == 12
    written = json.loads((tmp_path / "out/comparison.json").read_text())
    assert (written["score"], len(written["rows"])) == ("accuracy", 3)
    assert (tmp_path / "out/by_length.png").stat().st_size > 1000
    assert (tmp_path / "out/gru+attention/model.safetensors").exists()


def test_seeds_have_a_spread(path: Path, tmp_path: Path) -> None:
    (found,) = run(path, tmp_path / "out", "rnn", seeds=2)
    assert found.spread >= 0
    assert (tmp_path / "out/rnn-1/config.json").exists()


def test_names() -> None:
    assert settings_of("translate", "lstm") == {"cell": "lstm", "attention": "none"}
    assert settings_of("tag", "rnn") == {"cell": "elman"}
    with pytest.raises(OptionError, match="forecast knows no network 'gru\\+attention'"):
        settings_of("forecast", "gru+attention")


def test_what_cannot_be_is_found_before_anything_is_trained(path: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="no cell is called 'grru'"):
        run(path, tmp_path / "out", "gru", "grru")
    assert not (tmp_path / "out").exists()
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    with pytest.raises(RunError, match="holds another run or other files"):
        run(path, tmp_path / "full", "gru")
