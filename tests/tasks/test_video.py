"""Videos: what comes next, and what nobody could expect."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import elman
from elman.data import Moving, made_glyphs, read_clip
from elman.errors import DataError, OptionError
from elman.models import NextFrames
from elman.tasks import GenerateOptions, Model, make_task
from elman.tasks.generate.foresight import Watcher, surprise
from elman.tasks.task import judged
from elman.tasks.unusual import Threshold

SMALL: dict[str, Any] = {
    "kind": "video",
    "hidden_size": 12,
    "given": 4,
    "ahead": 4,
    "patch": 2,
    "learning_rate": 0.02,
    "epochs": 12,
    "batch_size": 8,
}
MOVING = Moving(made_glyphs(4), side=10, together=1, frames=9)


def arrays(path: Path, count: int, first: int = 0, **more: Any) -> Path:
    videos = [MOVING.video(number) for number in range(first, first + count)]
    np.savez(path, x=torch.stack([one.frames for one in videos]).numpy(), **more)
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("video")
    train, valid = arrays(folder / "train.npz", 150), arrays(folder / "valid.npz", 30, first=500)
    elman.train("generate", train=train, valid=valid, out=folder / "run", **SMALL)
    return folder / "run"


@pytest.fixture
def model(run: Path) -> Model:
    return elman.load(run)


def test_it_knows_better_than_to_copy(model: Model, run: Path, tmp_path: Path) -> None:
    scores = model.evaluate(arrays(tmp_path / "test.npz", 30, first=1000))
    assert scores["mse_ratio"] < 0.75
    assert scores["mse_ratio"] == pytest.approx(scores["mse"] / scores["mse of copying the last frame"])
    assert "auroc" not in scores
    assert json.loads((run / "metrics.json").read_text())["valid"]["mse_ratio"] < 1
    assert (run / "pictures/frames.png").stat().st_size > 1000


def test_scores_are_those_of_the_answers(model: Model, tmp_path: Path) -> None:
    videos = [MOVING.video(number).frames for number in range(1000, 1005)]
    scores = model.evaluate(arrays(tmp_path / "test.npz", 5, first=1000))
    said = torch.tensor(model.predict(videos)) / 255
    came = torch.stack(videos)[:, 4:8, ..., 0] / 255
    assert float((said - came).square().mean()) == pytest.approx(scores["mse"], rel=0.02)  # bytes are rounded
    copied = torch.stack(videos)[:, 3:4, ..., 0] / 255
    assert float((copied - came).square().mean()) == pytest.approx(scores["mse of copying the last frame"], rel=1e-5)


def test_answers_of_any_length_from_arrays_files_and_folders(model: Model, tmp_path: Path) -> None:
    frames = MOVING.video(7).frames
    (tmp_path / "one").mkdir()
    for number, frame in enumerate(frames):
        Image.fromarray(frame.squeeze(2).numpy()).save(tmp_path / f"one/{number}.png")
    (answer,) = model.predict(frames.squeeze(3).numpy(), length=7)
    assert np.array(answer).shape == (7, 10, 10)
    assert model.predict(str(tmp_path / "one"), length=7) == [answer]
    assert model.predict(frames, length=0) == [[]]
    assert model.predict(frames, given=8) != model.predict(frames)
    assert len(model.predict(frames[:2])[0]) == 4  # as few as there are
    inputs = model.task.read_inputs(tmp_path / "one")
    assert model.task.rows(inputs, model.predict(inputs))[0]["input"] == "one"


def test_answers_as_films_and_strips(model: Model, tmp_path: Path) -> None:
    videos = [MOVING.video(number).frames for number in (1, 2)]
    assert model.write(videos, tmp_path / "a.gif", length=6) == "2 videos with what comes next"
    film = read_clip(tmp_path / "a.gif").frames
    assert film.shape[1:] == (10, 10 + 2 + 10, 3)
    assert 4 < len(film) <= 4 + 6  # frames that are alike are one in a GIF
    assert torch.equal(film[0, :, :10, 0], videos[0][0, ..., 0])
    model.write(videos, tmp_path / "a.png")
    model.draw(videos[0], tmp_path / "b.png")
    assert (tmp_path / "a.png").stat().st_size > (tmp_path / "b.png").stat().st_size > 1000


def test_what_nobody_could_expect(model: Model, run: Path, tmp_path: Path) -> None:
    odd = [MOVING.video(number, "jump", earliest=5) for number in range(2000, 2060)]
    x, unusual = (torch.stack([getattr(one, name) for one in odd]).numpy() for name in ("frames", "unusual"))
    np.savez(tmp_path / "odd.npz", x=x, unusual=unusual)
    scores = model.evaluate(tmp_path / "odd.npz")
    assert scores["auroc"] > 0.8
    assert scores["share of false alarms"] < 0.1
    threshold = json.loads((run / "unusual.json").read_text())["threshold"]
    (said,) = model.predict(x[0], unusual=True)
    assert [one["frame"] for one in said] == [5, 6, 7, 8, 9]
    errors = surprise(model.network, torch.from_numpy(x[0]).unsqueeze(1) / 255)[3:, 0]
    assert [one["error"] for one in said] == pytest.approx(errors.tolist(), abs=1e-6)
    assert [one["unusual"] for one in said] == [error > threshold for error in errors.tolist()]
    assert model.predict(x[0][:3], unusual=True) == [[]]
    with pytest.raises(OptionError, match="unusual gives numbers, no frames"):
        model.write(x[0], tmp_path / "a.gif", unusual=True)
    with pytest.raises(OptionError, match="unusual gives numbers, no frames"):
        model.draw(x[0], tmp_path / "a.png", unusual=True)
    for idle in ({"length": 3}, {"given": 6}):
        with pytest.raises(OptionError, match=f"{next(iter(idle))} does not act where what is unusual is sought"):
            model.predict(x[0], unusual=True, **idle)


def test_what_is_labelled_unusual_does_not_make_it_usual(model: Model, tmp_path: Path) -> None:
    odd = [MOVING.video(number, "jump", earliest=5) for number in range(2000, 2060)]
    x, unusual = (torch.stack([getattr(one, name) for one in odd]).numpy() for name in ("frames", "unusual"))
    np.savez(tmp_path / "odd.npz", x=x, unusual=unusual)
    valid = model.task.read_to_score(tmp_path / "odd.npz")
    model.task.settle(model.network, valid, tmp_path)
    watcher = judged(Watcher(4), model.network, valid)
    assert isinstance(watcher, Watcher)
    errors, labels = watcher.found()
    assert labels.any()
    assert Threshold.load(tmp_path) == Threshold.of(errors[~labels]) != Threshold.of(errors)


class Dark(nn.Module):
    """Expects black frames."""

    def forward(self, frames: torch.Tensor, count: int = 0) -> torch.Tensor:
        return torch.full_like(frames[1:], -100.0)


def test_a_surprise_is_the_worst_part_beside_the_frames_before() -> None:
    frames = torch.zeros(4, 2, 20, 20, 1)
    frames[:3, :, :4, :4] = 0.5  # a part has 4 x 4 pixels: all of it is wrong by a half
    frames[3, 0, 10:14, 10:14] = 1.0
    frames[3, 1, 10:14, 10:14] = 0.5
    assert surprise(Dark(), frames).flatten().tolist() == pytest.approx([1, 1, 1, 1, 4, 1])


def test_what_was_expected_is_read_where_nothing_is_given() -> None:
    torch.manual_seed(0)
    network = NextFrames((5, 7), 3, patch=2, hidden_size=4, num_layers=2)
    frames = torch.rand(4, 2, 5, 7, 3)
    expected = network(frames, 3)
    assert expected.shape == (6, 2, 5, 7, 3)
    torch.testing.assert_close(network(frames), expected[:3])
    longer = torch.cat([frames, expected[3:5].sigmoid()])
    torch.testing.assert_close(network(longer), expected[:5])
    assert not torch.equal(network(frames.flip(0)), network(frames))


def test_patches_come_back_where_they_were() -> None:
    network = NextFrames((5, 7), 3, patch=3, hidden_size=2)
    frame = torch.rand(2, 5, 7, 3)
    assert network._patches(frame).shape == (2, 27, 2, 3)
    assert torch.equal(network._pixels(network._patches(frame)), frame)


def test_videos_of_several_lengths_are_cut_in_clips(tmp_path: Path) -> None:
    for number, length in enumerate((20, 9, 4, 13)):
        (tmp_path / f"in/{number}").mkdir(parents=True)
        for place in range(length):
            Image.fromarray(np.full((6, 6), 10 * place, np.uint8)).save(tmp_path / f"in/{number}/{place}.png")
    model = elman.train(
        "generate", train=tmp_path / "in", valid=tmp_path / "in", out=tmp_path / "run", **SMALL | {"epochs": 1}
    )
    config = json.loads((tmp_path / "run/config.json").read_text())
    assert config["facts"]["training clips"] == 5  # 8 + 8 of the first, 8 of the second, 8 + 5 of the last
    assert config["notes"] == ["9 frames at the ends of videos are too few for a clip and left out"]
    batch = next(iter(model.task.read_to_score(tmp_path / "in")))
    model.network.requires_grad_(False)
    losses = [model.task.loss(model.network, batch, None)]
    for row, length in enumerate(batch.lengths.tolist()):  # the mean over frames that are there
        alone = type(batch)(
            batch.inputs[:length, row : row + 1], torch.tensor([length]), batch.targets[:length, row : row + 1]
        )
        losses.append(model.task.loss(model.network, alone, None))
    whole, *parts = losses
    assert float(whole.mean) == pytest.approx(sum(float(p.mean) * p.count for p in parts) / whole.count, rel=1e-5)


def test_guided_epochs_see_true_frames_only(tmp_path: Path) -> None:
    options = {"kind": "video", "given": 4, "ahead": 4, "guided": 2, "hidden_size": 3, "patch": 2}
    task = make_task("generate", GenerateOptions.of(options))
    examples = task.read(arrays(tmp_path / "a.npz", 40), arrays(tmp_path / "b.npz", 40))
    epoch, network = len(examples.train), task.network()
    first, later = examples.train.batch(2 * epoch - 1), examples.train.batch(2 * epoch)
    assert (first.guided, later.guided) == (True, False)
    for batch in (first, later):
        scores = network(batch.inputs) if batch.guided else network(batch.inputs[:4], 4)
        expected = nn.functional.binary_cross_entropy_with_logits(scores, batch.inputs[1:])
        torch.testing.assert_close(task.loss(network, batch, None).mean, expected)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cell": "gru"}, "read by convolutional LSTMs; received cell = gru"),
        ({"kernel": 2}, "kernel expects an odd number; received 2"),
        ({"kind": "text"}, "given acts on kind = video; received kind = text"),
        ({"window": 7}, "window acts on kind = text and sound; received kind = video"),
    ],
)
def test_options_that_do_not_act(settings: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=message):
        elman.train("generate", out=tmp_path / "run", **SMALL | settings)


def test_another_run_is_a_start_but_no_teacher(run: Path, tmp_path: Path) -> None:
    path = arrays(tmp_path / "train.npz", 30)
    before = elman.load(run).evaluate(path)["mse"]
    model = elman.train("generate", train=path, from_=run, out=tmp_path / "on", epochs=1, learning_rate=1e-5)
    assert model.evaluate(path)["mse"] == pytest.approx(before, rel=0.02)
    with pytest.raises(OptionError, match=r"kind is 'video' in .*, which this run builds on; received 'text'"):
        elman.train("generate", from_=run, out=tmp_path / "text", kind="text")
    with pytest.raises(OptionError, match="kind = video has no teachers"):
        elman.train("generate", train=path, teacher=run, out=tmp_path / "taught", **SMALL)


def test_inputs_that_do_not_fit(model: Model, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"input 1 has frames of \(9, 9, 1\); expected \(10, 10, 1\), as in training"):
        model.predict(np.zeros((3, 9, 9), np.uint8))
    with pytest.raises(DataError, match=r"input 1 expects frames of bytes \(T, H, W, C\); received torch.float"):
        model.predict(np.zeros((3, 10, 10)))
    for wrong in (None, [[[0, 1], [2]]], b"abc", {"x": 1}):
        with pytest.raises(DataError, match=r"input 1 expects frames of bytes \(T, H, W, C\)"):
            model.predict([wrong])
    with pytest.raises(OptionError, match="there is nothing to write"):
        model.write([], tmp_path / "a.gif")
    np.savez(tmp_path / "short.npz", x=np.zeros((2, 3, 10, 10), np.uint8))
    with pytest.raises(DataError, match="no video has more than 4 frames, the longest 3"):
        model.evaluate(tmp_path / "short.npz")
    with pytest.raises(OptionError, match="temperature does not act"):
        model.predict(np.zeros((3, 10, 10), np.uint8), temperature=0.5)


class Still(nn.Module):
    """Expects the last frame again."""

    def forward(self, frames: torch.Tensor, count: int = 0) -> torch.Tensor:
        return torch.logit(torch.cat([frames[:-1], frames[-1:].expand(count, -1, -1, -1, -1)]), eps=1e-6)


def test_copying_has_a_ratio_of_one(model: Model, tmp_path: Path) -> None:
    batches = model.task.read_to_score(arrays(tmp_path / "test.npz", 10, first=1000))
    judge = model.task.judge()
    with torch.inference_mode():
        for batch in batches:
            judge.add(Still(), batch)
    assert judge.scores()["mse_ratio"] == pytest.approx(1, abs=1e-3)
