"""A model that goes on learning: each portion is judged before it is learned."""

import json
from pathlib import Path
from typing import Any

import polars
import pytest

import elman
from elman.errors import DataError, OptionError, RunError


def words(path: Path, good: str, count: int = 60) -> Path:
    path.write_text("".join(f"{n % 2} the film was {(good if n % 2 else 'bad')}\n" for n in range(count)))
    return path


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Knows what good means, and has read fine only as praise of nothing."""
    lines = tmp_path / "train.txt"
    lines.write_text("".join(f"{n % 2} the film was {'good' if n % 2 else 'bad fine'}\n" for n in range(80)))
    shape: dict[str, Any] = {"embedding_size": 8, "hidden_size": 8, "batch_size": 8, "units": "word"}
    elman.train("classify", train=lines, out=tmp_path / "run", epochs=8, learning_rate=0.02, **shape)
    return tmp_path / "run"


def test_what_changed_is_learned_and_the_old_run_stays(run: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    changed = words(tmp_path / "new.txt", good="fine", count=120)
    model = elman.update(run, changed, tmp_path / "next", portion=20, epochs=2)
    found = json.loads((tmp_path / "next" / "updates.json").read_text())
    accuracies = [row["learning"]["accuracy"] for row in found["portions"]]
    assert len(accuracies) == 6
    assert accuracies[0] == found["portions"][0]["still"]["accuracy"] < 0.6  # judged before anything is learned
    assert accuracies[-1] > 0.9
    assert found["learning"]["accuracy"] > found["still"]["accuracy"]
    assert elman.load(tmp_path / "next").predict(["the film was fine"]) == model.predict(["the film was fine"]) == ["1"]
    assert before == {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    assert (tmp_path / "next/pictures/updates.png").exists()
    assert "went on learning from" in (tmp_path / "next/card.md").read_text()


def test_twice_the_same_gives_the_same(run: Path, tmp_path: Path) -> None:
    new = words(tmp_path / "new.txt", good="fine")
    for name in ("a", "b"):
        elman.update(run, new, tmp_path / name, portion=7)
    assert (tmp_path / "a/model.safetensors").read_bytes() == (tmp_path / "b/model.safetensors").read_bytes()


def test_new_labels_are_refused_before_anything_is_learned(run: Path, tmp_path: Path) -> None:
    new = words(tmp_path / "new.txt", good="fine")
    new.write_text(new.read_text() + "9 the film was odd\n")
    with pytest.raises(DataError, match="'9'"):
        elman.update(run, new, tmp_path / "next")
    assert not (tmp_path / "next").exists()
    with pytest.raises(RunError, match="holds another run"):
        elman.update(run, new, run)
    with pytest.raises(OptionError, match="portion expects a whole number"):
        elman.update(run, new, tmp_path / "next", portion=0)


def test_tasks_that_do_not_go_on_learning(tmp_path: Path) -> None:
    elman.train("tag", out=tmp_path / "run", epochs=1, hidden_size=4, embedding_size=4, letter_size=0)
    with pytest.raises(OptionError, match="tag does not go on learning; train with --from"):
        elman.update(tmp_path / "run", tmp_path / "new.conll", tmp_path / "next")


def series(path: Path, first: int, last: int, step: float) -> Path:
    """A saw-tooth whose teeth are `step` high each."""
    rows = [{"unique_id": name, "ds": n, "y": (n % 6) * step + n % 2} for name in "ab" for n in range(first, last)]
    polars.DataFrame(rows).write_csv(path)
    return path


def test_series_are_learned_and_remembered(tmp_path: Path) -> None:
    train = series(tmp_path / "train.csv", 0, 120, 1.0)
    shape = {"horizon": 6, "context": 12, "hidden_size": 16, "batch_size": 16, "scaling": "standard", "season": 6}
    elman.train("forecast", train=train, out=tmp_path / "run", epochs=12, learning_rate=0.01, **shape)
    new = series(tmp_path / "new.csv", 120, 240, 3.0)
    model = elman.update(tmp_path / "run", new, tmp_path / "next", epochs=8, learning_rate=0.01)
    found = json.loads((tmp_path / "next/updates.json").read_text())
    assert len(found["portions"]) == 20
    assert found["portions"][-1]["learning"]["mae"] < 0.5 * found["portions"][-1]["still"]["mae"]
    again = elman.load(tmp_path / "next")
    assert [row["ds"] for row in again.predict()[:2]] == [240, 241]
    assert again.predict() == model.predict()


def test_series_without_new_steps(tmp_path: Path) -> None:
    train = series(tmp_path / "train.csv", 0, 60, 1.0)
    elman.train("forecast", train=train, out=tmp_path / "run", epochs=1, horizon=6, context=12, hidden_size=4)
    with pytest.raises(DataError, match="nothing new"):
        elman.update(tmp_path / "run", train, tmp_path / "next")
    assert not (tmp_path / "next").exists()
