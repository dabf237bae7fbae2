"""Whole trainings: what they leave, when they stop, and what a full disk or Ctrl-C does to them."""

import errno
import math
import os
import signal
from io import StringIO
from pathlib import Path

import pytest
import torch
from rich.console import Console
from safetensors import SafetensorError
from safetensors.torch import load_file

import elman
from elman.data import Window, read_json, read_text
from elman.errors import Interrupted, RunError
from elman.tasks import judged
from elman.training import TrainingOptions
from elman.training.keeping import Averaging
from elman.training.logs import read_curve
from elman.training.module import TrainingModule
from elman.training.optimisers import NEVER

ROOT = Path(__file__).parents[2]
SMALL = {"hidden_size": 8, "embedding_size": 5, "batch_size": 4, "window": 10, "epochs": 2, "log_every": 3}


@pytest.fixture
def text(tmp_path: Path, rhyme: str) -> Path:
    (tmp_path / "rhyme.txt").write_text(rhyme[:800])  # 18 steps an epoch
    return tmp_path / "rhyme.txt"


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("elman.training.fit.draw_learning_curves", lambda *_: None)


def train(text: Path, **settings: object) -> tuple[elman.Model, str]:
    console = Console(file=StringIO(), width=200)
    model = elman.train("generate", train=text, out=text.parent / "run", console=console, **SMALL | settings)
    return model, console.file.getvalue()


def test_what_a_run_leaves(text):
    model, told = train(text, tied=True, num_layers=2)
    run = text.parent / "run"
    for name in ("config.json", "model.safetensors", "tokenizer.json", "metrics.json", "card.md"):
        assert (run / name).stat().st_size > 0
    assert (run / "pictures" / "learning_curves.png").read_bytes().startswith(b"\x89PNG")
    assert list((run / "logs" / "tensorboard").rglob("events.out.tfevents.*"))
    assert [step for step, _ in read_curve(run / "logs", "train_loss")] == list(range(2, 36, 3))
    assert len(read_curve(run / "logs", "valid_loss")) == 2
    assert not [path for path in run.rglob(".*") if path.is_file()]  # no temporary file

    metrics = read_json(run / "metrics.json")
    valid = model.task.read(text, None).valid
    assert judged(model.task.judge(), model.network, valid).scores()["loss"] == pytest.approx(metrics["valid"]["loss"])
    assert elman.load(run).predict("9", length=20) == model.predict("9", length=20)

    card = (run / "card.md").read_text()
    assert f"| loss | {metrics['valid']['loss']:.4f} |" in card
    assert "- vocabulary: " in card
    assert "| tied | True |" in card

    assert "\x1b" not in told  # quiet where there is no terminal
    assert [line.split("  ")[0] for line in told.splitlines() if line.startswith("epoch")] == ["epoch 1", "epoch 2"]
    assert "23 steps of" in told  # 36 without the 13 that were timed


def test_an_own_cell_trains_reloads_and_predicts(text, no_pictures):
    (text.parent / "mine.py").write_text(
        "import torch, elman\n\n\nclass Mine(elman.Cell):\n"
        "    def __init__(self, input_size, hidden_size):\n"
        "        super().__init__(input_size, hidden_size)\n"
        "        self.linear = torch.nn.Linear(input_size + hidden_size, hidden_size)\n\n"
        "    def forward(self, x, state):\n"
        "        h = torch.tanh(self.linear(torch.cat([x, state[0]], dim=-1)))\n"
        "        return h, (h,)\n"
    )
    model, _ = train(text, cell=f"{text.parent / 'mine.py'}:Mine", epochs=1)
    assert elman.load(text.parent / "run").predict("9", length=9) == model.predict("9", length=9)
    assert read_text(text.parent / "run" / "cell.py") == read_text(text.parent / "mine.py")  # kept to be read


def test_precision_acts_in_training_and_weights_stay_whole(text, no_pictures, tmp_path):
    found = {}
    for precision in ("f32", "bf16"):
        model = elman.train("generate", train=text, out=tmp_path / precision, precision=precision, **SMALL)
        assert {each.dtype for each in model.network.parameters()} == {torch.float32}
        found[precision] = read_json(tmp_path / precision / "metrics.json")["valid"]["loss"]
    assert found["bf16"] != found["f32"]
    assert found["bf16"] == pytest.approx(found["f32"], rel=0.02)


def test_early_stopping_stops(text, no_pictures):
    _, told = train(text, learning_rate=1e-12, early_stopping=2, epochs=20)
    assert told.count("valid") - told.count("validation") < 6


def test_a_training_that_diverges_is_said(text, no_pictures, monkeypatch):
    monkeypatch.setattr(TrainingModule, "on_validation_epoch_start", poisoned(TrainingModule.on_validation_epoch_start))
    with pytest.raises(
        RunError, match=r"training diverged: the validation loss is nan after step 18; .*--learning-rate"
    ):
        train(text)


def poisoned(original):
    def start(self) -> None:
        self.network.output.bias.data.fill_(math.nan)
        original(self)

    return start


def full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def full_in_rust(*_: object, **__: object) -> None:
    raise SafetensorError("I/O error: No space left on device (os error 28)")


@pytest.mark.parametrize(("name", "write"), [("last.safetensors", full_in_rust), ("model.safetensors", full)])
def test_a_full_disk_is_said_and_leaves_what_was_there(name, write, text, no_pictures, monkeypatch):
    from elman.data import files

    original, written = files.save_file, []

    def second_time_full(tensors, path, metadata=None):
        if f".{name}." in str(path) and name in written:
            write()
        written.extend(part for part in ("last.safetensors", "model.safetensors") if f".{part}." in str(path))
        original(tensors, path, metadata)

    monkeypatch.setattr(files, "save_file", second_time_full)
    with pytest.raises(RunError, match=f"could not write .*{name}: .*No space left on device"):
        train(text, checkpoint_minutes=0)
    run = text.parent / "run"
    assert not [path for path in run.rglob(".*") if path.is_file()]
    for path in run.rglob("*.safetensors"):
        load_file(path)
    monkeypatch.undo()
    elman.train("generate", out=run, resume=True, console=Console(file=StringIO()))


def test_logs_that_cannot_be_written_are_said(text, no_pictures, monkeypatch):
    monkeypatch.setattr("lightning.pytorch.loggers.CSVLogger.save", full)
    with pytest.raises(RunError, match=r"could not write .*logs: No space left on device; make room, then --resume"):
        train(text)


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_during_validation(times, text, no_pictures, monkeypatch):
    original, before = TrainingModule.validation_step, signal.getsignal(signal.SIGINT)

    def interrupted(self, batch: Window, number: int) -> None:
        for _ in range(times if number == 0 else 0):
            os.kill(os.getpid(), signal.SIGINT)
        original(self, batch, number)

    monkeypatch.setattr(TrainingModule, "validation_step", interrupted)
    with pytest.raises(Interrupted, match="stopped after step 19; saved in" if times == 1 else "stopped at once"):
        train(text)
    assert signal.getsignal(signal.SIGINT) is before


def clipped(gradients: list[float], **settings: float) -> torch.Tensor:
    network = torch.nn.Linear(len(gradients), 1, bias=False)
    network.weight.grad = torch.tensor([gradients])
    options = TrainingOptions.of(settings)
    TrainingModule(None, network, options, 1).configure_gradient_clipping(None)
    return network.weight.grad[0]


def test_gradients_are_clipped_by_norm_and_by_value():
    torch.testing.assert_close(clipped([3.0, 4.0], clip_norm=1.0), torch.tensor([0.6, 0.8]))
    torch.testing.assert_close(clipped([0.3, 0.4], clip_norm=1.0), torch.tensor([0.3, 0.4]))
    assert clipped([3.0, -4.0], clip_norm=0, clip_value=3.5).tolist() == [3.0, -3.5]
    assert clipped([3.0, -4.0], clip_norm=0).tolist() == [3.0, -4.0]


class FakeTrainer:
    """As much of Lightning's trainer as a callback sees."""

    def __init__(self, optimiser: torch.optim.Optimizer) -> None:
        self.optimizers = [optimiser]
        self.callback_metrics: dict[str, float] = {}
        self.global_step = 0


def test_averages_are_validated_and_kept_and_start_after_patience():
    network = torch.nn.Linear(1, 1, bias=False)
    optimiser = torch.optim.ASGD(network.parameters(), 0.5, lambd=0.0, t0=NEVER)
    trainer, averaging = FakeTrainer(optimiser), Averaging(patience=2)
    started, seen, weights = [], [], []
    for loss in (5.0, 4.0, 4.5, 4.6, 4.7, 4.8, 4.9, 5.0):
        network.weight.grad = torch.ones_like(network.weight)
        optimiser.step()
        trainer.global_step += 1
        weights.append(float(network.weight.detach()))
        averaging.on_validation_start(trainer, None)
        seen.append(float(network.weight.detach()))
        trainer.callback_metrics["valid_loss"] = loss
        averaging.on_validation_end(trainer, None)
        assert float(network.weight.detach()) == weights[-1]
        started.append(optimiser.param_groups[0]["t0"] != NEVER)
    # 4.7 is above 4, the best of the losses without the last two: NT-ASGD's condition
    assert started == [False] * 4 + [True] * 4
    assert seen[:6] == weights[:6]
    assert seen[7] == pytest.approx(sum(weights[6:]) / 2)  # torch averages from the second step on


def test_few_validations_start_no_averaging():
    optimiser = torch.optim.ASGD([torch.nn.Parameter(torch.ones(1))], 0.5, t0=NEVER)
    trainer, averaging = FakeTrainer(optimiser), Averaging(patience=5)
    for loss in (1.0, 2.0, 3.0, 4.0, 5.0):
        trainer.callback_metrics["valid_loss"] = loss
        averaging.on_validation_end(trainer, None)
        assert optimiser.param_groups[0]["t0"] == NEVER


def shakespeare() -> Path | None:
    folders = [os.environ.get("ELMAN_DATA"), ROOT.parent / "shared" / "data"]
    paths = [Path(folder) / "tinyshakespeare" / "input.txt.gz" for folder in folders if folder]
    return next((path for path in paths if path.exists()), None)


@pytest.mark.skipif(shakespeare() is None, reason="tiny Shakespeare is neither in $ELMAN_DATA nor in ../shared/data")
def test_tiny_shakespeare(tmp_path, no_pictures):
    (tmp_path / "start.txt").write_text(read_text(shakespeare())[:20_000])
    model, _ = train(tmp_path / "start.txt", hidden_size=32, batch_size=16, window=50, epochs=4, learning_rate=0.02)
    scores = read_json(tmp_path / "run" / "metrics.json")["valid"]
    assert scores["loss"] < math.log(len(model.task.tokenizer)) - 0.9  # of a guess
