"""`classify`, `tag` and `forecast` at the command line: train, judge, answer; and whatever is wrong is one line."""

import csv
import json
from pathlib import Path

import pytest
from tests.interfaces.conftest import Cli

SMALL = ["--hidden-size=8", "--embedding-size=8", "--batch-size=8", "--epochs=2", "--learning-rate=0.02"]
DAYS = "a,2024-01-01,1\na,2024-01-02,2\na,2024-01-03,2\n"
WEEKS = "b,2024-01-01,1\nb,2024-01-08,2\nb,2024-01-15,2\n"
FILES = {
    "films.csv": "review,stars\n" + "a good film,1\na bad film,0\n" * 30,
    "one.csv": "text,label\n" + "a,1\n" * 30,
    "names.conll": "Anna B-PER\nruns O\n\nin O\nRome B-LOC\n\n" * 20,
    "broken.conll": "Anna B-PER\nruns\n",
    "days.csv": "ds,y\n" + "".join(f"2024-{1 + n // 28:02}-{1 + n % 28:02},{n % 7}\n" for n in range(280)),
    "mixed.csv": "unique_id,ds,y\n" + DAYS + WEEKS,
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_classify(cli: Cli) -> None:
    shown = cli("train", "classify", "--train=films.csv", "--text=review", "--label=stars", "--dry-run", "--json")
    assert json.loads(shown.out)["rows"][0] in ("a good film → 1", "a bad film → 0")
    columns = ["--text=review", "--label=stars"]
    assert cli("train", "classify", "--train=films.csv", "--out=run", *columns, *SMALL).code == 0
    assert cli("predict", "run", "a good film").out in ("1\n", "0\n")
    answers = [json.loads(line) for line in cli("predict", "run", "--input=films.csv").out.splitlines()]
    assert answers[0]["input"] == "a good film"
    assert set(json.loads(cli("evaluate", "run", "films.csv", "--json").out)) >= {"accuracy", "macro_f1", "log_loss"}


def test_tag(cli: Cli) -> None:
    assert cli("train", "tag", "--train=names.conll", "--out=run", "--letter-size=4", *SMALL).code == 0
    (entry,) = [
        json.loads(line) for line in cli("predict", "run", "Anna in Rome", "--json", "--confidence").out.splitlines()
    ]
    assert isinstance(entry["answer"], list)
    assert "f1" in json.loads(cli("evaluate", "run", "names.conll", "--json").out)


def test_forecast(cli: Cli, here: Path) -> None:
    size = ["--horizon=7", "--context=14"]
    assert cli("train", "forecast", "--train=days.csv", "--out=run", "--frequency=1d", *size, *SMALL).code == 0
    rows = list(csv.DictReader(cli("predict", "run").out.splitlines()))
    assert len(rows) == 7
    assert {"unique_id", "ds", "forecast", "lo-80", "hi-80"} <= set(rows[0])
    assert cli("predict", "run", "--input=days.csv", "--out=next.csv").out == "7 answers in next.csv\n"
    assert len((here / "next.csv").read_text().splitlines()) == 8
    scores = json.loads(cli("evaluate", "run", "days.csv", "--stride=1", "--json").out)
    assert {"mae", "mae of naive", "mae of seasonal naive", "coverage of 80%"} <= set(scores)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("train classify --train=films.csv", "no column 'text'"),
        ("train classify --train=films.csv --text=reviev --label=stars", "did you mean 'review'"),
        ("train classify --train=one.csv", "every example has the label '1'"),
        ("train classify --train=films.csv --pooling=maxx", "did you mean 'max'"),
        ("train classify --train=nowhere.csv", "there is no file nowhere.csv"),
        ("train tag --train=broken.conll", "line 2 has 1 columns; expected 2"),
        ("train tag --train=names.conll --tag=3", "expected 3"),
        ("train forecast --train=mixed.csv", "different frequencies"),
        ("train forecast --train=days.csv --target=sales", "no column 'sales'"),
        ("train forecast --train=days.csv --frequency=1d --horizon=300", "have no window"),
    ],
)
def test_what_is_wrong_is_one_line(cli: Cli, here: Path, words: str, message: str) -> None:
    said = cli(*words.split(), "--out=run")
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert message in said.err
    assert not (here / "run").exists()


def test_update_goes_on_learning_and_says_so(here, cli):
    rows = "".join(f"{n % 2} the film was {'good' if n % 2 else 'bad'}\n" for n in range(40))
    (here / "train.txt").write_text(rows)
    shape = ("--units=word", "--hidden-size=4", "--embedding-size=4", "--epochs=1")
    assert cli("train", "classify", "--train=train.txt", "--out=run", *shape).code == 0
    said = cli("update", "run", "--data=train.txt", "--portion=20")
    assert said.code == 0, said.err
    assert "with learning: loss" in said.out
    assert "the model is in run-updated" in said.out
    found = json.loads(cli("update", "run", "--data=train.txt", "--out=again", "--json").out)
    assert len(found["portions"]) == 1
    assert cli("update", "run", "--data=nothing.txt").err.startswith("elman: run-updated holds another run")
    assert cli("update", "run", "--data=nothing.txt", "--out=new").err.startswith("elman: there is no file nothing.txt")
    assert not (here / "new").exists()
