"""A run that was stopped, in whatever way, ends with exactly the weights of one that was not."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file, save_file

import elman
from elman.errors import DataError, Interrupted, OptionError, RunError
from elman.training.checkpoint import SafetensorsIO, read_checkpoint

HARD = {
    "dropout": 0.2,
    "output_dropout": 0.2,
    "recurrent_dropout": 0.2,
    "zoneout": 0.1,
    "num_layers": 2,
    "validate_every": 0.5,
}
"""Everything that draws random numbers, and validation in mid-epoch."""


def train(out: Path, text: Path, settings: dict, task: str = "generate", **more: object) -> tuple[elman.Model, str]:
    console = Console(file=StringIO(), width=200)
    model = elman.train(task, train=text, out=out, console=console, **settings, **more)
    return model, console.file.getvalue()


def stop_at_step(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Ctrl-C in the middle of a step would."""
    from elman.training.module import TrainingModule

    original = TrainingModule.training_step
    steps = iter(range(1, 10**6))

    def stopping(self, *arguments):
        if next(steps) == step:
            os.kill(os.getpid(), signal.SIGINT)
        return original(self, *arguments)

    monkeypatch.setattr(TrainingModule, "training_step", stopping)


@pytest.fixture(autouse=True)
def _no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """They take half a second each, and prove nothing here."""
    monkeypatch.setattr("elman.training.fit.draw_learning_curves", lambda *_: None)


OPTIMISERS = {
    "adamw": {"schedule": "cosine", "warmup": 0.1, "checkpoint_minutes": 0},
    "sgd": {"momentum": 0.9, "learning_rate": 0.5, "schedule": "plateau"},
    "asgd": {"learning_rate": 2.0, "patience": 1, "epochs": 3},
}


@pytest.fixture
def text(tmp_path: Path, rhyme: str) -> Path:
    """Ten steps an epoch."""
    path = tmp_path / "rhyme.txt"
    path.write_text(rhyme[:800])
    return path


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Path, dict], Path]:
    """The folder of a run with an optimiser; each is trained once."""
    runs: dict[str, Path] = {}

    def run(optimiser: str, text: Path, settings: dict) -> Path:
        if optimiser not in runs:
            runs[optimiser] = tmp_path_factory.mktemp("whole") / optimiser
            train(runs[optimiser], text, settings)
        return runs[optimiser]

    return run


def same_weights(a: Path, b: Path) -> bool:
    one, other = load_file(a / "model.safetensors"), load_file(b / "model.safetensors")
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    ("optimiser", "step"),
    [("adamw", 5), ("sgd", 1), ("asgd", 17)],  # validation is after every 5th or so
)
def test_stopped_and_resumed_equals_undisturbed(step, optimiser, tmp_path, text, tiny, undisturbed, monkeypatch):
    settings = tiny | HARD | OPTIMISERS[optimiser] | {"optimiser": optimiser}
    whole = undisturbed(optimiser, text, settings)
    with monkeypatch.context() as patch:
        stop_at_step(step, patch)
        with pytest.raises(Interrupted, match="stopped after step"):
            train(tmp_path / "parts", text, settings)
    resumed, told = train(tmp_path / "parts", text, {}, resume=True)
    assert "going on after step" in told
    assert same_weights(whole, tmp_path / "parts")
    assert resumed.config["settings"] == elman.load(whole).config["settings"]


@pytest.mark.parametrize("step", [3, 7])
def test_a_translator_with_averages_and_other_pieces_each_time_resumes_too(step, tmp_path, rhyme, monkeypatch):
    pytest.importorskip("sacrebleu", reason="scores need the extra translate")
    (tmp_path / "pairs.tsv").write_text("".join(f"{line}\t{line.upper()}\n" for line in rhyme.splitlines()))
    settings = {"embedding_size": 6, "hidden_size": 8, "batch_units": 300, "vocabulary_size": 300, "epochs": 3}
    settings |= {"average": 2, "unit_dropout": 0.3, "output_dropout": 0.2, "checkpoint_minutes": 0, "early_stopping": 9}
    train(tmp_path / "whole", tmp_path / "pairs.tsv", settings, "translate")
    with monkeypatch.context() as patch:
        stop_at_step(step, patch)
        with pytest.raises(Interrupted, match="stopped after step"):
            train(tmp_path / "parts", tmp_path / "pairs.tsv", settings, "translate")
    _, told = train(tmp_path / "parts", tmp_path / "pairs.tsv", {}, "translate", resume=True)
    assert "going on after step" in told
    assert same_weights(tmp_path / "whole", tmp_path / "parts")


def test_the_mean_of_the_last_weights_is_judged_and_kept(tmp_path, text, tiny):
    from elman.training.keeping import MeanOfLast

    class Module(torch.nn.Linear):
        pass

    module, callback = Module(2, 1), MeanOfLast(2)
    seen = []
    for value in (1.0, 3.0, 7.0):
        torch.nn.init.constant_(module.weight, value)
        callback.on_validation_start(None, module)
        seen.append(module.weight[0, 0].item())
        callback.on_validation_end(None, module)
        assert module.weight[0, 0].item() == value
    assert seen == [1.0, 2.0, 5.0]


def test_another_seed_gives_other_weights(tmp_path, text, tiny, undisturbed):
    settings = tiny | HARD | OPTIMISERS["adamw"]
    train(tmp_path / "other", text, settings, seed=1)
    assert not same_weights(undisturbed("adamw", text, settings), tmp_path / "other")


def test_killed_without_warning_and_resumed_equals_undisturbed(tmp_path, text, tiny, undisturbed):
    settings = tiny | HARD | OPTIMISERS["adamw"]
    whole = undisturbed("adamw", text, settings)
    options = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
    command = [sys.executable, "-m", "elman", "train", "generate", f"--train={text}", f"--out={tmp_path / 'killed'}"]
    with subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True) as process:
        for _ in range(3):  # a note, the first validation, the time it will take
            process.stderr.readline()
        process.send_signal(signal.SIGKILL)
    assert (tmp_path / "killed" / "checkpoints" / "last.safetensors").exists()
    train(tmp_path / "killed", text, {}, resume=True)
    assert same_weights(whole, tmp_path / "killed")


def test_a_finished_run_is_loaded_not_trained_again(text, tiny, undisturbed):
    whole = undisturbed("adamw", text, tiny | HARD | OPTIMISERS["adamw"])
    before = files(whole)
    _, told = train(whole, text, {}, resume=True)
    assert "already come to its end" in told
    assert files(whole) == before


@pytest.fixture
def stopped(tmp_path, text, tiny, monkeypatch) -> Path:
    """A run that was stopped after five steps."""
    with monkeypatch.context() as patch:
        stop_at_step(5, patch)
        with pytest.raises(Interrupted):
            train(tmp_path / "run", text, tiny | HARD)
    return tmp_path / "run"


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_resume_refuses_what_does_not_belong_to_the_run(stopped, text):
    original, checkpoint = text.read_text(), stopped / "checkpoints" / "last.safetensors"
    whole = checkpoint.read_bytes()
    damages = {
        "has changed since it was started": lambda: text.write_text(original.replace("green", "brown")),
        "is damaged or foreign": lambda: checkpoint.write_bytes(whole[:-100]),
        "is damaged or foreign: 'elman'": lambda: save_file({"x": torch.ones(2)}, checkpoint),
        "is of another run: network.body": lambda: SafetensorsIO().save_checkpoint(
            other_network(whole_path), checkpoint
        ),
    }
    whole_path = stopped.parent / "copy.safetensors"
    whole_path.write_bytes(whole)
    for message, damage in damages.items():
        damage()
        before = files(stopped)
        with pytest.raises(RunError, match=message):
            train(stopped, text, {}, resume=True)
        assert files(stopped) == before
        text.write_text(original)
        checkpoint.write_bytes(whole)


def other_network(path: Path) -> dict:
    checkpoint = read_checkpoint(path)
    weights = checkpoint["state_dict"]
    checkpoint["state_dict"] = {name: value if "body" not in name else value[:-1] for name, value in weights.items()}
    return checkpoint


def test_resume_heeds_moved_data_and_refuses_settings(stopped, text):
    moved = text.rename(text.with_name("moved.txt"))
    with pytest.raises(OptionError, match=r"--resume goes on with the settings of .*; received epochs too"):
        elman.train("generate", out=stopped, resume=True, epochs=5)
    with pytest.raises(DataError, match="there is no file"):
        elman.train("generate", out=stopped, resume=True)
    _, told = train(stopped, moved, {}, resume=True)
    assert "going on after step 5" in told


def test_no_pickle_is_written(stopped):
    for name, content in files(stopped).items():
        if name.endswith(".safetensors"):  # a length of eight bytes that may be any, then JSON
            content = content[8:]
        assert not content.startswith((b"\x80", b"PK")), f"{name} looks like a pickle"
