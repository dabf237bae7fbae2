"""What happens in videos."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import elman
from elman.data import made_glyphs
from elman.errors import DataError, OptionError

SMALL: dict[str, Any] = {
    "cell": "gru",
    "hidden_size": 12,
    "embedding_size": 16,
    "pooling": "last",
    "bidirectional": False,
    "learning_rate": 0.003,
    "epochs": 14,
    "batch_size": 4,
}


def drifting(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Shapes that go left or right, pixel by pixel, from anywhere: a single frame hardly tells which."""
    random = np.random.default_rng(seed)
    glyphs, x, y = made_glyphs(6).numpy(), np.zeros((count, 5, 16, 28, 1), np.uint8), random.integers(0, 2, count)
    for video, way in zip(x, y, strict=True):
        glyph, row, column = glyphs[random.integers(len(glyphs))], random.integers(0, 11), random.integers(4, 19)
        for number, frame in enumerate(video):
            left = column + number * (1 if way else -1)
            frame[row : row + 6, left : left + 6, 0] = glyph
    return x, np.where(y, "right", "left")


@pytest.fixture(scope="module")
def test_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("test") / "test.npz"
    x, y = drifting(60, 1)
    np.savez(path, x=x, y=y)
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("motion")
    x, y = drifting(240, 0)
    np.savez(folder / "train.npz", x=x.squeeze(4), y=y)
    elman.train("classify", train=folder / "train.npz", out=folder / "run", **SMALL)
    return folder / "run"


def folders(path: Path, x: np.ndarray, y: np.ndarray) -> Path:
    """A folder for each label, in it a folder of numbered images for each video."""
    for number, (video, label) in enumerate(zip(x, y, strict=True)):
        (path / str(label) / f"v{number}").mkdir(parents=True)
        for place, frame in enumerate(video):
            Image.fromarray(frame[..., 0]).save(path / str(label) / f"v{number}" / f"{place}.png")
    return path


def test_motion_is_seen_where_frames_hardly_tell_it(run: Path, test_set: Path) -> None:
    model = elman.load(run)
    assert model.evaluate(test_set)["accuracy"] > 0.9
    x, y = drifting(40, 2)
    forwards, backwards = model.predict(list(x)), model.predict([video[::-1].copy() for video in x])
    assert np.mean(np.array(forwards) == y) > 0.9
    assert np.mean(np.array(backwards) != y) > 0.8  # the same frames


def test_folders_of_images_are_the_same_as_arrays(run: Path, tmp_path: Path) -> None:
    model = elman.load(run)
    x, y = drifting(12, 3)
    np.savez(tmp_path / "a.npz", x=x, y=y)
    path = folders(tmp_path / "videos", x, y)
    assert model.evaluate(path) == pytest.approx(model.evaluate(tmp_path / "a.npz"), abs=1e-5)
    inputs = model.task.read_inputs(path / "left")
    assert inputs.names[0].startswith("v")
    assert model.predict([str(path / "left" / inputs.names[0])]) == model.predict(inputs)[:1]


def test_a_table_of_video_files(run: Path, tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    x, y = drifting(3, 4)
    rows = ["path,label"]
    for number, (video, label) in enumerate(zip(x, y, strict=True)):
        with av.open(str(tmp_path / f"{number}.mkv"), "w") as container:
            stream = container.add_stream("ffv1", rate=10)
            stream.height, stream.width, stream.pix_fmt = 16, 28, "gray"
            for frame in video:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame[..., 0], format="gray")))
            container.mux(stream.encode())
        rows.append(f"{number}.mkv,{label}")
    (tmp_path / "table.csv").write_text("\n".join(rows))
    model = elman.load(run)
    assert model.evaluate(tmp_path / "table.csv", path="path")["accuracy"] == np.mean(
        [a == b for a, b in zip(model.predict(list(x)), y, strict=True)]
    )
    assert model.predict(model.task.read_inputs(tmp_path / "0.mkv")) == model.predict([x[0]])
    with pytest.raises(DataError, match=r"0.mkv is one video, without an answer"):
        model.evaluate(tmp_path / "0.mkv")


def test_what_does_not_fit(run: Path, tmp_path: Path) -> None:
    model = elman.load(run)
    with pytest.raises(DataError, match=r"input 1 has frames of \(9, 9, 1\); expected \(16, 28, 1\), as in training"):
        model.predict([np.zeros((3, 9, 9), np.uint8)])
    with pytest.raises(DataError, match=r"input 1 expects frames of bytes \(T, H, W, C\), all of one size"):
        model.predict([None])
    with pytest.raises(DataError, match=r"input 1 expects frames of bytes \(T, H, W, C\), all of one size"):
        model.predict([[[[0, 1], [2]]]])
    x, y = drifting(20, 5)
    np.savez(tmp_path / "a.npz", x=x, y=y)
    for settings, message in (
        ({"noise": 0.1}, "noise and masks act on numbers; received videos"),
        ({"pooling": "hierarchical", "bidirectional": True}, "pooling = hierarchical reads texts"),
    ):
        with pytest.raises(OptionError, match=message):
            elman.train("classify", train=tmp_path / "a.npz", out=tmp_path / "run", **SMALL | settings)
    path = folders(tmp_path / "videos", x[:4], np.array(["a", "a", "b", "b"]))
    Image.fromarray(np.zeros((16, 28), np.uint8)).save(path / "a/one.png")
    with pytest.raises(DataError, match="has files of several kinds"):
        elman.train("classify", train=path, out=tmp_path / "run", **SMALL)
