"""A box in every frame."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import elman
from elman.data import Moving, made_glyphs
from elman.errors import DataError, OptionError
from elman.models import overlap
from elman.tasks import Model

SMALL: dict[str, Any] = {
    "kind": "boxes",
    "cell": "gru",
    "hidden_size": 16,
    "embedding_size": 24,
    "bidirectional": False,
    "learning_rate": 0.01,
    "epochs": 10,
    "batch_size": 8,
}
MOVING = Moving(made_glyphs(6), side=18, together=1, frames=8)


def arrays(path: Path, count: int, first: int = 0, **changes: Any) -> Path:
    videos = [MOVING.video(number) for number in range(first, first + count)]
    x, boxes = np.stack([one.frames.numpy() for one in videos]), np.stack([one.boxes[0].numpy() for one in videos])
    np.savez(path, **{"x": x, "boxes": boxes} | changes)
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("boxes")
    elman.train("tag", train=arrays(folder / "train.npz", 160), out=folder / "run", **SMALL)
    return folder / "run"


@pytest.fixture
def model(run: Path) -> Model:
    return elman.load(run)


def by_corners(one: list[float], other: list[float]) -> float:
    """IoU by counting cells of a fine grid."""
    grid = (np.arange(400) + 0.5) / 400 * 20
    inside = [((grid >= b[0]) & (grid < b[2]))[None] & ((grid >= b[1]) & (grid < b[3]))[:, None] for b in (one, other)]
    return (inside[0] & inside[1]).sum() / (inside[0] | inside[1]).sum()


def test_overlap_is_what_a_grid_counts() -> None:
    torch.manual_seed(1)
    corners = torch.rand(20, 2, 2) * 8
    boxes = torch.cat([corners, corners + 2 + 8 * torch.rand(20, 2, 2)], dim=2)
    for one, other in boxes.tolist():
        found = float(overlap(torch.tensor(one), torch.tensor(other)))
        assert found == pytest.approx(by_corners(one, other), abs=0.02)  # cells are a twentieth wide
    assert float(overlap(torch.tensor([0.0, 0, 1, 1]), torch.tensor([2.0, 2, 3, 3]))) == 0
    assert float(overlap(torch.tensor([1.0, 1, 0, 0]), torch.tensor([0.0, 0, 1, 1]))) == 0  # inside out: empty


def test_shapes_are_followed(model: Model, run: Path, tmp_path: Path) -> None:
    test = arrays(tmp_path / "test.npz", 20, first=1000)
    scores = model.evaluate(test)
    assert scores["iou"] > 0.5 > scores["iou of the usual box"]
    with np.load(test) as found:
        said, truth = model.predict(list(found["x"])), found["boxes"]
    by_hand = [
        by_corners(a, b) for boxes, row in zip(said, truth, strict=True) for a, b in zip(boxes, row, strict=True)
    ]
    assert float(np.mean(by_hand)) == pytest.approx(scores["iou"], abs=0.01)
    assert (run / "pictures/boxes.png").stat().st_size > 1000


def test_answers_are_pixels_of_the_video_itself(model: Model, tmp_path: Path) -> None:
    frames = MOVING.video(7).frames
    (whole,) = model.predict(frames)
    assert np.array(whole).shape == (8, 4)
    (half,) = model.predict(frames[:4].squeeze(3).numpy())
    assert np.allclose(half, whole[:4], atol=0.011)  # it reads forwards only, and two digits are kept
    model.draw(frames, tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 1000
    inputs = model.task.read_inputs(arrays(tmp_path / "a.npz", 2))
    assert model.task.rows(inputs, model.predict(inputs))[1]["input"] == "video 2"


def test_frames_without_a_box_teach_nothing(tmp_path: Path) -> None:
    with np.load(arrays(tmp_path / "a.npz", 20)) as found:
        boxes = found["boxes"].copy()
    boxes[:, 3:] = np.nan
    path = arrays(tmp_path / "a.npz", 20, boxes=boxes)
    model = elman.train("tag", train=path, valid=path, out=tmp_path / "run", **SMALL | {"epochs": 1})
    batch = model.task.read_to_score(path).batch(0)
    loss = model.task.loss(model.network, batch, None)
    assert loss.count == 3 * 20
    assert bool(loss.mean.isfinite())


def test_every_second_frame_in_pieces(tmp_path: Path) -> None:
    path = arrays(tmp_path / "a.npz", 20)
    settings = SMALL | {"epochs": 1, "every": 2, "max_length": 3}
    model = elman.train("tag", train=path, valid=path, out=tmp_path / "run", **settings)
    assert json.loads((tmp_path / "run/config.json").read_text())["facts"]["training frames"] == 20 * 4
    examples = model.task.read(path, path)
    assert sorted({len(one) for one in examples.train.sequences}) == [1, 3]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"boxes": np.full((20, 8, 4), np.nan)}, r"has no boxes; expected .npz with boxes \(N, T, 4\)"),
        ({"boxes": np.ones((20, 8, 2))}, r"expects numbers boxes \(20, 8, 4\); received float64 \(20, 8, 2\)"),
        ({"boxes": np.tile([5.0, 5, 3, 9], (20, 8, 1))}, "video 1 has a box whose left or top lies behind"),
    ],
)
def test_broken_boxes(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = arrays(tmp_path / "a.npz", 20, **changes)
    with pytest.raises(DataError, match=message):
        elman.train("tag", train=path, out=tmp_path / "run", **SMALL)


def test_what_does_not_act(model: Model, tmp_path: Path) -> None:
    frames = MOVING.video(7).frames
    with pytest.raises(OptionError, match="confidence and n_best do not act on kind = boxes"):
        model.predict(frames, confidence=True)
    with pytest.raises(OptionError, match="every acts on kind = boxes; received kind = words"):
        elman.train("tag", out=tmp_path / "run", every=2)
    with pytest.raises(DataError, match=r"input 1 expects frames of bytes \(T, H, W, C\), all of one size"):
        model.predict([None])
    with pytest.raises(DataError, match=r"input 1 has frames of \(9, 9, 1\); expected \(18, 18, 1\)"):
        model.predict(np.zeros((3, 9, 9), np.uint8))


def test_frames_that_are_too_small_are_told(tmp_path: Path) -> None:
    path = arrays(tmp_path / "a.npz", 20)
    with pytest.raises(DataError, match="frames of 4 x 4 pixels are too small; expected more than 4 along a side"):
        elman.train("tag", train=path, out=tmp_path / "run", **SMALL, image_size="4x4")
