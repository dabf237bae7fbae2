"""Series whose every step gets a label or a number."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest
import torch

import elman
from elman.data import IGNORE, Columns, Labelled, SequenceBatches, made_waves, read_labelled
from elman.errors import DataError, OptionError
from elman.models import StepReader
from elman.tasks import Model
from elman.tasks.tag.steps import answered

SMALL: dict[str, Any] = {"kind": "steps", "hidden_size": 24, "cell": "gru", "learning_rate": 0.01, "epochs": 4}


def table(path: Path, found: Labelled) -> Path:
    rows = [
        (f"s{number}", float(value), said)
        for number, (series, answers) in enumerate(zip(found.inputs, found.answers, strict=True))
        for value, said in zip(series[:, 0], answers, strict=True)
    ]
    polars.DataFrame(rows, schema=["id", "value", "label"], orient="row", infer_schema_length=None).write_csv(path)
    return path


@pytest.fixture(scope="module")
def waves(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return table(tmp_path_factory.mktemp("waves") / "train.csv", made_waves(120, seed=1))


def train(path: Path | None, out: Path, **settings: Any) -> Model:
    columns = {} if path is None else {"sequence": "id", "values": "value"}
    return elman.train("tag", train=path, out=out, **SMALL | columns | settings)


def test_waves_are_told_from_each_other(tmp_path: Path) -> None:
    model = train(None, tmp_path / "run", sequence="id", values="value")
    scores = model.evaluate(table(tmp_path / "test.csv", made_waves(50, seed=2)), sequence="id", values="value")
    assert scores["accuracy"] > 1.5 * scores["accuracy of the commonest label"]
    inputs = model.task.read_inputs(tmp_path / "test.csv")
    rows = model.task.rows(inputs, model.predict(inputs))
    found = made_waves(50, seed=2)
    said = model.predict(found.inputs)
    assert rows[7] == {"input": "id s7", "answer": said[7]}
    right = [one == wanted for pair in zip(said, found.answers, strict=True) for one, wanted in zip(*pair, strict=True)]
    assert np.mean(right) == pytest.approx(scores["accuracy"])
    sure = elman.load(tmp_path / "run").predict(found.inputs[:1], confidence=True)[0]
    assert [one["label"] for one in sure] == said[0]
    assert all(1 / 3 < one["probability"] <= 1 for one in sure)
    for picture in ("steps", "confusion"):
        assert (tmp_path / f"run/pictures/{picture}.png").stat().st_size > 1000


def test_answers_are_numbers(tmp_path: Path) -> None:
    model = train(None, tmp_path / "run", answer="number")
    test = table(tmp_path / "test.csv", made_waves(50, seed=2, numbers=True))
    scores = model.evaluate(test, sequence="id", values="value")
    assert scores["rmse"] < 0.8 * scores["rmse of the training mean"]
    found = made_waves(50, seed=2, numbers=True)
    said = np.array(model.predict(found.inputs))
    assert np.sqrt(np.square(said - np.array(found.answers)).mean()) == pytest.approx(scores["rmse"], rel=1e-4)


def test_arrays_are_read_as_tables_are(waves: Path, tmp_path: Path) -> None:
    found = made_waves(120, seed=1)
    x = torch.stack(list(found.inputs)).numpy()
    np.savez(tmp_path / "train.npz", x=x, y=np.array(found.answers))
    rows = read_labelled(waves, Columns(sequence="id", values="value", stepwise=True))
    arrays = read_labelled(tmp_path / "train.npz", Columns(stepwise=True))
    assert rows.answers == arrays.answers
    assert all(torch.allclose(*pair) for pair in zip(rows.inputs, arrays.inputs, strict=True))


def test_lengths_cut_answers_too(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros((2, 3)), y=np.array([[1, 2, 0], [2, 0, 0]]), lengths=[2, 1])
    assert read_labelled(tmp_path / "a.npz", Columns(stepwise=True)).answers == [["1", "2"], ["2"]]


def test_steps_without_an_answer_teach_nothing(tmp_path: Path) -> None:
    rows = [(0.1 * step, None if step % 3 else float(step % 2)) for step in range(60)]
    polars.DataFrame(rows, schema=["value", "label"], orient="row").write_csv(tmp_path / "one.csv")
    model = elman.train("tag", train=tmp_path / "one.csv", out=tmp_path / "run", **SMALL | {"answer": "number"})
    card = (tmp_path / "run/card.md").read_text()
    assert "40 of 60 steps have no answer and teach nothing" in card
    assert "the last 10% of every series is it" in card
    assert model.evaluate(tmp_path / "one.csv")["rmse"] >= 0
    assert len(model.predict(model.task.read_inputs(tmp_path / "one.csv"))[0]) == 60


def test_padding_and_missing_answers_do_not_count() -> None:
    series = [torch.zeros(3, 1), torch.zeros(1, 1)]
    labels = [torch.tensor([0, IGNORE, 1]), torch.tensor([1])]
    numbers = [torch.tensor([[0.5], [torch.nan], [-100.0]]), torch.tensor([[2.0]])]
    for targets in (labels, numbers):
        batch = SequenceBatches(series, targets, per_step=True).of([0, 1])
        assert answered(batch).T.tolist() == [[True, False, True], [True, False, False]]


def test_what_has_no_answers_is_refused_or_left_out(tmp_path: Path) -> None:
    found = made_waves(12, seed=3)
    some = Labelled("series", found.inputs, [[None] * 120, *found.answers[1:]], "", found.places)
    path = table(tmp_path / "some.csv", some)
    model = train(path, tmp_path / "some", epochs=1)
    judge = model.judge(path)
    assert len(judge.written()) == 12 * 120
    assert judge.scores()["accuracy"] <= 1
    polars.read_csv(path).with_columns(label=None).write_csv(tmp_path / "none.csv")
    with pytest.raises(DataError, match="has no answer at any step"):
        model.evaluate(tmp_path / "none.csv")
    with pytest.raises(DataError, match="has no answer at any step"):
        train(tmp_path / "none.csv", tmp_path / "run", epochs=1)
    with pytest.raises(DataError, match="input 1 expects numbers"):
        model.predict(["hello"])


def test_a_run_goes_on_and_teaches(waves: Path, tmp_path: Path) -> None:
    train(waves, tmp_path / "first")
    columns = {"sequence": "id", "values": "value"}
    train(waves, tmp_path / "next", from_=tmp_path / "first", epochs=1)
    small = elman.train(
        "tag", train=waves, out=tmp_path / "small", teacher=tmp_path / "first", **SMALL | columns | {"hidden_size": 8}
    )
    assert isinstance(small.network, StepReader)
    assert json.loads((tmp_path / "small/config.json").read_text())["settings"]["hidden_size"] == 8


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"values": "wave"}, "no column 'wave'"),
        ({"label": "state"}, "no column 'state'"),
        ({"answer": "number"}, "expects a number; received 's"),
        ({"predicate": 1}, "predicate acts on kind = words"),
        ({"kind": "words"}, "values acts on kind = steps"),
    ],
)
def test_what_cannot_be_is_said(waves: Path, tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    with pytest.raises((DataError, OptionError), match=message):
        train(waves, tmp_path / "run", **settings)
    assert not (tmp_path / "run").exists()


def test_other_data_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a b c\n")
    with pytest.raises(OptionError, match="reads tables and"):
        elman.train("tag", train=tmp_path / "a.txt", out=tmp_path / "run", **SMALL)
    np.savez(tmp_path / "a.npz", x=np.zeros((2, 3)), y=np.zeros(2))
    with pytest.raises(DataError, match=r"y of shape \(2,\); expected \(2, 3\)"):
        elman.train("tag", train=tmp_path / "a.npz", out=tmp_path / "run", **SMALL)
    elman.train("generate", out=tmp_path / "lm", epochs=1, hidden_size=8, embedding_size=8)
    with pytest.raises(OptionError, match="kind is 'words' in"):
        elman.train("tag", out=tmp_path / "run", kind="steps", from_=tmp_path / "lm")
