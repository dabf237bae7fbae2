"""Videos from files, and made ones."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from elman.data import Columns, Moving, Videos, made_glyphs, made_videos, read_clip, read_labelled, read_videos
from elman.errors import DataError, OptionError
from elman.pictures import draw_film

av = pytest.importorskip("av")


def write(path: Path, frames: Tensor, codec: str, pixels: str, **options: str) -> Path:
    """A file that PyAV encodes."""
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=10)
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], pixels
        for frame in frames.numpy():
            picture = av.VideoFrame.from_ndarray(frame.repeat(3, 2), format="rgb24").reformat(format=pixels)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def noise() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (12, 16, 32, 1), dtype=torch.uint8, generator=generator)


FORMS = [
    ("a.mp4", "mpeg4", "yuv420p", {"movflags": "faststart"}),
    ("a.avi", "mpeg4", "yuv420p", {}),
    ("a.mkv", "ffv1", "gray", {}),
    ("a.webm", "libvpx", "yuv420p", {}),
    ("a.mov", "mpeg4", "yuv420p", {"movflags": "faststart"}),
    ("a.gif", "gif", "rgb8", {}),
]


@pytest.mark.parametrize(("name", "codec", "pixels", "options"), FORMS)
def test_a_file_of_each_form_and_one_that_ends_early(
    name: str, codec: str, pixels: str, options: dict[str, str], noise: Tensor, tmp_path: Path
) -> None:
    path = write(tmp_path / name, noise, codec, pixels, **options)
    whole = read_videos(path)
    assert whole.frames[0].shape == (12, 16, 32, 1 if pixels == "gray" else 3)
    assert whole.notes == ()
    assert read_videos(path, every=5).frames[0].shape[0] == 3
    assert read_videos(path, size=(8, 10)).frames[0].shape[1:3] == (8, 10)
    cut = tmp_path / f"cut{path.suffix}"
    cut.write_bytes(path.read_bytes()[: int(0.7 * path.stat().st_size)])
    found = read_videos(cut)
    assert 0 < len(found.frames[0]) < 12
    assert found.notes == (f"1 of 1 videos end early, the first is {cut.name}",)
    assert torch.equal(found.frames[0], whole.frames[0][: len(found.frames[0])])


def test_nothing_is_lost_without_loss(noise: Tensor, tmp_path: Path) -> None:
    assert torch.equal(read_clip(write(tmp_path / "a.mkv", noise, "ffv1", "gray")).frames, noise)


def test_folders_of_images_in_the_order_of_their_numbers(noise: Tensor, tmp_path: Path) -> None:
    for name in ("walk", "run"):
        (tmp_path / name).mkdir()
        for number, frame in enumerate(noise):
            Image.fromarray(frame.squeeze(2).numpy()).save(tmp_path / name / f"{name}{number}.png")
    found = read_videos(tmp_path)
    assert found.places == ["run", "walk"]
    assert torch.equal(found.frames[0], noise)
    assert torch.equal(read_videos(tmp_path / "walk", every=2).frames[0], noise[::2])


def test_arrays(noise: Tensor, tmp_path: Path) -> None:
    x, boxes, unusual = torch.stack([noise, noise]), np.ones((2, 12, 4)), np.zeros((2, 12), int)
    np.savez(tmp_path / "a.npz", x=x.numpy(), boxes=boxes, unusual=unusual)
    found = read_videos(tmp_path / "a.npz", every=3)
    assert found.boxes is not None
    assert found.unusual is not None
    assert (found.frames[1].shape, found.boxes[1].shape, found.unusual[1].shape) == ((4, 16, 32, 1), (4, 4), (4,))
    np.savez(tmp_path / "b.npz", x=x.squeeze(4).numpy())
    assert torch.equal(read_videos(tmp_path / "b.npz").frames[0], noise)


def test_arrays_are_made_to_a_size_as_images_are(noise: Tensor, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    for number, frame in enumerate(noise):
        Image.fromarray(frame.squeeze(2).numpy()).save(tmp_path / f"one/{number}.png")
    x, boxes = noise.unsqueeze(0).expand(-1, -1, -1, -1, 3).numpy(), np.tile([4.0, 2, 8, 6], (1, 12, 1))
    np.savez(tmp_path / "a.npz", x=x, boxes=boxes, y=["a"])
    found = read_videos(tmp_path / "a.npz", (8, 24))
    of_images = read_videos(tmp_path / "one", (8, 24)).frames[0]
    assert torch.equal(found.frames[0], of_images.expand(-1, -1, -1, 3))
    assert found.boxes is not None
    assert found.boxes[0][0].tolist() == [3, 1, 6, 3]
    labelled = read_labelled(tmp_path / "a.npz", Columns(image_size=(8, 24)))
    assert torch.equal(labelled.inputs[0], found.frames[0])


def test_a_gif_loses_its_last_frame_only_where_it_was_read(noise: Tensor, tmp_path: Path) -> None:
    path = write(tmp_path / "a.gif", noise, "gif", "rgb8")
    whole, cut = read_clip(path).frames, tmp_path / "cut.gif"
    for share in (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9):
        cut.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
        usable = read_clip(cut).frames
        assert torch.equal(read_clip(cut, every=2).frames, whole[: len(usable) : 2])


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"y": [1]}, r"expects bytes x \(N, T, H, W\) or \(N, T, H, W, C\), one or more; received nothing"),
        ({"x": np.zeros((1, 2, 3, 4))}, "received float64"),
        ({"x": np.zeros((0, 2, 3, 4), np.uint8)}, "one or more"),
        ({"x": np.zeros((1, 2, 3, 4), np.uint8), "boxes": np.zeros((1, 2))}, r"expects numbers boxes \(1, 2, 4\)"),
        ({"x": np.zeros((1, 2, 3, 4), np.uint8), "unusual": np.zeros(2)}, r"expects numbers unusual \(1, 2\)"),
    ],
)
def test_broken_arrays(arrays: dict[str, Any], message: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(DataError, match=message):
        read_videos(tmp_path / "a.npz")


def test_what_cannot_be_read_says_so_in_a_line(noise: Tensor, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"no video")
    (tmp_path / "empty").mkdir()
    for path, message in (
        (tmp_path / "a.mp4", "a.mp4 is a broken video, or none: Invalid data found"),
        (tmp_path / "b.mp4", "there is no file"),
        (tmp_path / "empty", "has no videos; expected files that end in .mp4, .avi"),
    ):
        with pytest.raises(DataError, match=message) as error:
            read_videos(path)
        assert "\n" not in str(error.value)
    with av.open(str(tmp_path / "sound.mkv"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        silence.rate = 8000
        container.mux([*stream.encode(silence), *stream.encode()])
    with pytest.raises(DataError, match=r"sound.mkv is a broken video, or none"):
        read_videos(tmp_path / "sound.mkv")
    write(tmp_path / "c.mkv", noise, "ffv1", "gray")
    write(tmp_path / "d.mkv", noise[:, :8], "ffv1", "gray")
    (tmp_path / "a.mp4").unlink()
    (tmp_path / "sound.mkv").unlink()
    with pytest.raises(DataError, match=r"d.mkv has frames of \(8, 32, 1\); expected \(16, 32, 1\), as c.mkv"):
        read_videos(tmp_path)


def test_grey_and_colours() -> None:
    grey = Videos([torch.full((1, 2, 2, 1), 100, dtype=torch.uint8)], ["a"])
    assert grey.in_colours(3).frames[0].shape == (1, 2, 2, 3)
    assert torch.equal(grey.in_colours(3).in_colours(1).frames[0], grey.frames[0])


def test_each_video_has_a_number_and_boxes_around_what_moves() -> None:
    moving = Moving(made_glyphs(9), side=31, together=1, frames=40)
    one, other = moving.video(3), moving.video(4)
    assert torch.equal(one.frames, moving.video(3).frames)
    assert not torch.equal(one.frames, other.frames)
    assert not one.unusual.any()
    for frame, box in zip(one.frames.squeeze(3), one.boxes[0].int().tolist(), strict=True):
        rows, columns = frame.nonzero().unbind(1)
        assert box == [int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1]
    middles = one.boxes[0].unflatten(1, (2, 2)).mean(1)
    steps = middles.diff(dim=0).norm(dim=1)
    assert (steps < 0.1 * (31 - 9) + 2).all()  # whole pixels, from one frame to the next
    assert (middles.diff(dim=0)[:-1] * middles.diff(dim=0)[1:] < 0).any()  # it has bounced


@pytest.mark.parametrize("event", ["jump", "change", "vanish"])
def test_an_event_is_at_its_frame_and_nothing_else_changes_before(event: Any) -> None:
    moving = Moving(made_glyphs(), side=24)
    for seed in range(8):
        usual, odd = moving.video(seed), moving.video(seed, event, earliest=5)
        (at,) = odd.unusual.nonzero().flatten().tolist()
        assert at >= 5
        assert len(usual.frames) == len(odd.frames)
        there = odd.boxes[0].isfinite().all(1)
        assert there[:at].all()
        assert there[at:].all() == (event != "vanish")
        assert (odd.frames[at] != odd.frames[at - 1]).any()


def test_clutter_and_noise_have_no_boxes() -> None:
    video = Moving(made_glyphs(12), side=32, together=1, clutter=3, noise=50).video(0)
    left, top, right, bottom = video.boxes[0, 0].int().tolist()
    outside = video.frames[0, ..., 0].clone()
    outside[top:bottom, left:right] = 0
    assert int((outside > 200).sum()) > 0
    assert 0 < float(outside[outside < 50].float().mean()) < 50


def test_made_videos_are_split_at_their_end() -> None:
    train, valid = made_videos(20).split()
    assert (len(train), len(valid)) == (18, 2)
    assert valid.places == ["video 19", "video 20"]
    assert train.fingerprint != valid.fingerprint


def test_strips_with_boxes_are_drawn(tmp_path: Path) -> None:
    video = Moving(made_glyphs(), side=20, together=1, frames=4).video(0)
    boxes = video.boxes[0].clone()
    boxes[2] = torch.nan
    pairs = list(zip(boxes, boxes + 1, strict=True))
    for name, given in (("plain", []), ("boxes", [pairs])):
        draw_film(tmp_path / f"{name}.png", [("it", video.frames)], [2], boxes=given)
    plain, with_boxes = (np.asarray(Image.open(tmp_path / f"{name}.png").convert("RGB")) for name in ("plain", "boxes"))
    red = (with_boxes[..., 0] > 150) & (with_boxes[..., 1] < 90)
    assert red.sum() > 100 > ((plain[..., 0] > 150) & (plain[..., 1] < 90)).sum()


def test_no_strip_is_no_film(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="strips expects at least one"):
        draw_film(tmp_path / "a.png", [])
