"""The commands: what they show, what programs read, and Ctrl-C."""

import json
import os
import signal
from pathlib import Path

import pytest

import elman
from elman.interfaces.train import command_for
from elman.tasks import TASKS
from elman.training import TrainingOptions
from elman.training.module import TrainingModule

SMALL = ["--batch-size=4", "--window=8", "--hidden-size=4", "--embedding-size=4", "--epochs=2"]


@pytest.fixture
def text(tmp_path: Path, rhyme: str, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "text.txt").write_text(rhyme[:400])
    monkeypatch.chdir(tmp_path)
    return "text.txt"


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_every_setting_is_an_option_with_its_sentence(task, cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    helped = cli("train", task.name, "--help").out
    for name, field in (task.options_class.model_fields | TrainingOptions.model_fields).items():
        assert f"--{name.replace('_', '-')}" in helped
        assert field.description.split(";")[0].rstrip(".") in helped
    assert command_for(task).__doc__ == task.summary


def test_dry_run_shows_rows_and_writes_nothing(text, cli, tmp_path):
    said = cli("train", "generate", f"--train={text}", "--dry-run", "--window=9", "--batch-size=3")
    assert said.code == 0
    assert "row 1: '99 green '" in said.out
    assert "training units: 360" in said.out
    facts = json.loads(cli("train", "generate", f"--train={text}", "--dry-run", "--window=9", "--json").out)
    assert facts["rows"][0] == "99 green "
    assert facts["vocabulary"] > 10
    assert [path.name for path in tmp_path.iterdir()] == ["text.txt"]


def test_train_prints_json_alone_on_standard_output(text, cli):
    said = cli("train", "generate", f"--train={text}", "--out=run", "--json", *SMALL)
    printed = json.loads(said.out)
    assert printed["out"] == "run"
    assert printed["valid"]["loss"] > 0
    assert "epoch 1" in said.err
    again = cli("train", "generate", "--out=run", "--resume")
    assert again.code == 0
    assert "already come to its end" in again.err
    assert again.out.splitlines()[-1] == "the model is in run; use it with: elman predict run"


def test_predict_writes_what_the_model_streams(trained, cli):
    model = elman.load(trained)
    said = cli("predict", trained, "9 green", "--length=20", "--seed=3", "--temperature=1.0")
    assert said.out == "9 green" + "".join(model.stream("9 green", length=20, seed=3, temperature=1.0)) + "\n"
    one = json.loads(cli("predict", trained, "9", "--length=5", "--json").out)
    assert one == {"input": "9", "text": model.predict("9", length=5)[0]}
    stopped = json.loads(cli("predict", trained, "9", "--length=50", "--stop=e", "--json").out)
    assert "e" not in stopped["text"]


def test_predict_from_a_file_into_a_file(trained, cli, tmp_path):
    (tmp_path / "prompts.txt").write_text("9 green\n8\n")
    words = ("predict", trained, f"--input={tmp_path / 'prompts.txt'}", "--length=4")
    said = cli(*words, f"--out={tmp_path / 'answers.jsonl'}")
    assert said.out == f"2 answers in {tmp_path / 'answers.jsonl'}\n"
    lines = [json.loads(line) for line in (tmp_path / "answers.jsonl").read_text().splitlines()]
    assert [line["input"] for line in lines] == ["9 green", "8"]
    assert all(len(line["text"]) == 4 for line in lines)
    assert cli(*words).out == (tmp_path / "answers.jsonl").read_text()


def test_evaluate_shows_and_prints_the_same(trained, cli):
    path = trained.parent / "text.txt"
    scores = json.loads(cli("evaluate", trained, path, "--json").out)
    assert scores == elman.load(trained).evaluate(path)
    assert f"{scores['perplexity']:.4f}" in cli("evaluate", trained, path).out
    assert json.loads(cli("evaluate", trained, f"--text={path.read_text()}", "--json").out) == scores


@pytest.mark.parametrize("words", [["cells"], ["cells", "lstm", "--input-size=3"], ["doctor"]])
def test_other_commands_print_tables_and_json(words, cli):
    assert cli(*words).out
    assert json.loads(cli(*words, "--json").out)


@pytest.mark.parametrize("words", [[], ["train"]])
def test_no_words_show_the_help(words, cli):
    said = cli(*words)
    assert said.code == 2
    assert "Usage: elman" in said.out + said.err


def test_ctrl_c_saves_and_says_how_to_go_on(text, cli, monkeypatch):
    original = TrainingModule.training_step

    def interrupted(self, batch, number):
        if number == 4:
            os.kill(os.getpid(), signal.SIGINT)
        return original(self, batch, number)

    with monkeypatch.context() as patch:
        patch.setattr(TrainingModule, "training_step", interrupted)
        said = cli("train", "generate", f"--train={text}", "--out=a run", *SMALL)
    assert said.code == 130
    assert said.err.splitlines()[-1] == (
        "stopped after step 5; saved in a run/checkpoints/last.safetensors; "
        "go on with: elman train generate --out 'a run' --resume"
    )
    resumed = cli("train", "generate", "--out", "a run", "--resume")
    assert resumed.code == 0
    assert "going on after step 5" in resumed.err


def interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("place", ["elman.tasks.generate.text.read_texts", "elman.training.run.write_json"])
def test_ctrl_c_before_training_leaves_nothing(place, text, cli, tmp_path, monkeypatch):
    monkeypatch.setattr(place, interrupt)
    said = cli("train", "generate", f"--train={text}", "--out=run", *SMALL)
    assert (said.code, said.out) == (130, "")
    assert said.err == "stopped outside the steps of training; nothing was written\n"
    assert [path.name for path in tmp_path.iterdir()] == ["text.txt"]


def test_ctrl_c_elsewhere_is_quiet(trained, cli, monkeypatch):
    monkeypatch.setattr("elman.interfaces.predict.load", interrupt)
    said = cli("predict", trained)
    assert (said.code, said.out, said.err) == (130, "", "")
