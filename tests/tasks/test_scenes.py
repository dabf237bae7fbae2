"""Pictures whose every pixel gets a class."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import elman
from elman.data import made_scenes
from elman.errors import DataError, OptionError
from elman.layers import GRUCell
from elman.models import Segmenter
from elman.tasks import Model

SMALL: dict[str, Any] = {"kind": "scenes", "hidden_size": 16, "cell": "gru", "learning_rate": 0.01, "epochs": 4}


@pytest.fixture(scope="module")
def arrays(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scenes") / "train.npz"
    found = made_scenes(120, seed=1)
    np.savez(path, x=torch.stack(list(found.images)).numpy(), y=torch.stack(list(found.masks)).numpy())
    return path


def train(path: Path | None, out: Path, **settings: Any) -> Model:
    return elman.train("tag", train=path, out=out, **SMALL | settings)


def test_shapes_are_found_and_drawn(tmp_path: Path) -> None:
    model = train(None, tmp_path / "run", epochs=6)
    found = made_scenes(60, seed=2)
    test = tmp_path / "test.npz"
    np.savez(test, x=torch.stack(list(found.images)).numpy(), y=torch.stack(list(found.masks)).numpy())
    scores = model.evaluate(test)
    assert scores["miou"] > 2 * scores["miou of the commonest class"]
    said = torch.tensor(model.predict(list(found.images)))
    assert float((said == torch.stack(list(found.masks))).float().mean()) == pytest.approx(scores["accuracy"])
    assert elman.load(tmp_path / "run").predict([found.images[0]]) == [said[0].tolist()]
    assert (tmp_path / "run/pictures/scenes.png").stat().st_size > 1000
    model.draw(str(folder(tmp_path, found.images[:1], found.masks[:1]) / "images/0.png"), tmp_path / "one.png")
    assert (tmp_path / "one.png").exists()


def folder(path: Path, images: Any, masks: Any) -> Path:
    for name in ("images", "masks"):
        (path / "pairs" / name).mkdir(parents=True, exist_ok=True)
    for number, (image, mask) in enumerate(zip(images, masks, strict=True)):
        Image.fromarray(image.squeeze(2).numpy()).save(path / f"pairs/images/{number}.png")
        palette = Image.fromarray(mask.byte().numpy(), mode="L").convert("P")
        palette.putdata(mask.flatten().tolist())
        palette.save(path / f"pairs/masks/{number}.png")
    return path / "pairs"


def test_a_patch_is_read_with_its_margin() -> None:
    picture = torch.arange(5 * 2 * 7 * 3.0).view(5, 2, 7, 3)
    for margin in (0, 1):
        network = Segmenter(GRUCell, 3, 4, patch=2, margin=margin, hidden_size=5)
        patches = network._patches(picture)
        side = 2 + 2 * margin
        assert patches.shape == (3, 4, 2, side * side * 3)
        seen = patches[1, 2, 1].view(side, side, 3)
        assert torch.equal(seen, picture[2 - margin : 4 + margin, 1, 4 - margin : 6 + margin])
        assert network(picture).shape == (5, 2, 7, 4)


def test_pairs_of_files_are_the_same_as_arrays(arrays: Path, tmp_path: Path) -> None:
    found = made_scenes(120, seed=1)
    pairs = folder(tmp_path, found.images, found.masks)
    for number, given in enumerate((pairs, arrays)):
        train(given, tmp_path / str(number), epochs=1)
    read = [json.loads((tmp_path / f"{number}/config.json").read_text())["facts"] for number in range(2)]
    assert read[0] == read[1]
    model = elman.load(tmp_path / "0")
    pictures = model.task.read_inputs(pairs)
    rows = model.task.rows(pictures, model.predict(pictures))
    assert [row["input"] for row in rows][:2] == ["0.png", "1.png"]
    assert len(rows[0]["answer"]) == 24


def test_a_pixel_knows_of_the_whole_picture_whatever_its_size() -> None:
    torch.manual_seed(0)
    from elman.layers import GRUCell

    network = Segmenter(GRUCell, 1, 3, patch=3, hidden_size=4, num_layers=2)
    x = torch.randn(7, 2, 5, 1, requires_grad=True)
    scores = network(x)
    assert scores.shape == (7, 2, 5, 3)
    (gradient,) = torch.autograd.grad(scores[0, 0, 0].sum(), x)
    assert (gradient[:, 0].abs() > 0).all()
    assert (gradient[:, 1] == 0).all()


def test_patches_come_back_where_they_were() -> None:
    from elman.layers import GRUCell

    network = Segmenter(GRUCell, 2, 2, patch=2, hidden_size=3)
    x = torch.randn(6, 3, 4, 2)
    torch.testing.assert_close(network._pixels(network._patches(x)), x)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: {"x": a["x"]}, r"expects whole numbers y \(120, H, W\) from 0; received nothing"),
        (lambda a: {"x": a["x"] / 255, "y": a["y"]}, r"expects bytes x"),
        (lambda a: {"x": a["x"], "y": a["y"][:, :9]}, r"the mask of .* has the shape \(9, 24\)"),
        (lambda a: {"x": a["x"], "y": 0 * a["y"]}, r"every pixel has the class 0"),
        (lambda a: {"x": a["x"], "y": a["y"] - 1}, r"expects whole numbers y"),
    ],
)
def test_broken_arrays(arrays: Path, tmp_path: Path, change: Any, message: str) -> None:
    broken = tmp_path / "broken.npz"
    with np.load(arrays) as found:
        np.savez(broken, **change(dict(found)))
    with pytest.raises(DataError, match=message):
        train(broken, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_is_missing_is_named(arrays: Path, tmp_path: Path) -> None:
    found = made_scenes(20)
    pairs = folder(tmp_path, found.images, found.masks)
    (pairs / "masks/7.png").unlink()
    with pytest.raises(DataError, match=r"there is no file .*masks/7.png"):
        train(pairs, tmp_path / "run")
    (pairs / "masks/7.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"masks/7.png is a broken image"):
        train(pairs, tmp_path / "run")
    with pytest.raises(DataError, match="has no folder images"):
        train(tmp_path, tmp_path / "run")
    with pytest.raises(OptionError, match="read by recurrent layers"):
        train(arrays, tmp_path / "run", network="cnn")
    model = train(arrays, tmp_path / "run", epochs=1)
    with pytest.raises(DataError, match=r"input 1 has the shape \(9, 9, 1\); expected \(24, 24, 1\)"):
        model.predict([np.zeros((9, 9), np.uint8)])
