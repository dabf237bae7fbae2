"""Files with videos: what PyAV decodes, folders of numbered images, arrays.

Key: N videos, T frames, H rows of pixels, W pixels in a row, C colours.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from elman.data.arrays import ARRAYS, read_arrays
from elman.data.labelled.images import IMAGES, read_image
from elman.data.source import Source, Upload, bounded, is_folder, opened
from elman.data.video.videos import Videos, in_colours
from elman.errors import DataError, optional

VIDEOS = (".mp4", ".avi", ".mkv", ".webm", ".mov", ".gif")
"""Ends of the names of files that hold a video."""

CONTAINERS = {".mp4": "mp4", ".mov": "mov", ".avi": "avi", ".mkv": "matroska", ".webm": "matroska", ".gif": "gif"}
"""How ffmpeg calls what is in them."""
GIF_END = b";"
"""The last byte of every GIF."""


@dataclass(frozen=True)
class Clip:
    """What could be read of one video."""

    frames: Tensor
    """(T, H, W, C), bytes."""
    whole: bool = True
    """Was all there that its beginning promises?"""


def read_videos(path: Source, size: tuple[int, int] | None = None, every: int = 1) -> Videos:
    """Videos, in one of these forms.

    - A file of a video, which PyAV decodes.
    - A folder of such files, or of folders with the frames of a video each: images, in the order of the numbers in
      their names; or of the images of one video.
    - .npz: bytes x (N, T, H, W[, C]), with boxes (N, T, 4) and unusual (N, T) where they are known.

    Args:
        path: The file or folder.
        size: H and W to which frames are made, and boxes with them; all must be alike when omitted.
        every: One of so many frames is read.

    Raises:
        DataError: It cannot be used.
        MissingExtra: PyAV is not installed.
    """
    if path.suffix in ARRAYS:
        return _of_arrays(path, size, every)
    places = _places(path) if is_folder(path) else [path]
    clips = [read_clip(place, size, every) for place in places]
    names = [place.name for place in places]
    found = Videos([clip.frames for clip in clips], names, notes=cut_off(names, clips))
    first = found.frames[0].shape[1:]
    for one, place in zip(found.frames, places, strict=True):
        if one.shape[1:] != first:
            raise DataError(
                f"{place} has frames of {tuple(one.shape[1:])}; expected {tuple(first)}, as {names[0]}; "
                "make all alike, or give --image-size"
            )
    return found


def read_clip(path: Source, size: tuple[int, int] | None = None, every: int = 1) -> Clip:
    """One video, from a file or a folder of images.

    Raises:
        DataError: It cannot be read, or has no frames.
        MissingExtra: PyAV is not installed.
    """
    return _of_images(path, size, every) if is_folder(path) else _decoded(path, size, every)


def as_frames(
    given: Any, shape: Sequence[int], place: str, size: tuple[int, int] | None = None, every: int = 1
) -> Tensor:
    """What a person gives for a video, as frames (T, H, W, C) of bytes.

    Args:
        given: An array (T, H, W, C), or (T, H, W) of grey ones; or the path of one, as in `read_clip`.
        shape: (H, W, C).
        place: What to call it in an error.
        size: H and W to which frames of files are made.
        every: One of so many frames of files is read.

    Raises:
        DataError: It is no video, or one of another shape.
        MissingExtra: It is a file, and PyAV is not installed.
    """
    if isinstance(given, str | Path):
        given = read_clip(Path(given), size, every).frames
    try:
        found = torch.as_tensor(np.asarray(given))
    except (TypeError, ValueError, RuntimeError):  # nothing, words, or lists that are not of one length
        raise DataError(
            f"{place} expects frames of bytes (T, H, W, C), all of one size; received {given!r:.40}"
        ) from None
    found = found if found.dim() == 4 else found.unsqueeze(-1)
    if found.dim() != 4 or found.dtype != torch.uint8 or not len(found):
        raise DataError(f"{place} expects frames of bytes (T, H, W, C); received {found.dtype} {tuple(found.shape)}")
    found = in_colours(found, shape[2])
    Videos([found], [place]).check_shape(shape)
    return found


def resized(frames: Tensor, size: tuple[int, int] | None) -> Tensor:
    """Frames (..., H, W, C) of bytes, made to H and W as images of files are.

    Example:
        >>> resized(torch.zeros(2, 5, 12, 8, 1, dtype=torch.uint8), (6, 4)).shape
        torch.Size([2, 5, 6, 4, 1])
    """
    from PIL import Image

    if size is None or frames.shape[-3:-1] == size:
        return frames
    planes = frames.movedim(-1, -3).flatten(0, -3).numpy()  # a colour of a frame each
    made = np.stack([np.asarray(Image.fromarray(plane).resize((size[1], size[0]))) for plane in planes])
    return torch.from_numpy(made).view(*frames.shape[:-3], frames.shape[-1], *size).movedim(-3, -1)


def cut_off(names: Sequence[str], clips: Sequence[Clip]) -> tuple[str, ...]:
    """A note on videos that end early, if there are some."""
    early = [name for name, clip in zip(names, clips, strict=True) if not clip.whole]
    return (f"{len(early):,} of {len(clips):,} videos end early, the first is {early[0]}",) if early else ()


def is_video(path: Source) -> bool:
    """Whether a file is named like a video.

    Example:
        >>> is_video(Path("walk.MP4"))
        True
    """
    return path.suffix.lower() in VIDEOS


def in_order(folder: Path) -> list[Path]:
    """The images of a folder, by the numbers in their names, then by name; none of what is no folder."""
    images = [] if not folder.is_dir() else [file for file in folder.iterdir() if file.suffix.lower() in IMAGES]
    return sorted(images, key=lambda file: ([int(number) for number in re.findall(r"\d+", file.stem)], file.name))


def _places(path: Path) -> list[Path]:
    """Where single videos stand."""
    found = sorted(each for each in path.iterdir() if is_video(each) or in_order(each))
    if not found and in_order(path):
        return [path]
    if not found:
        raise DataError(
            f"{path} has no videos; expected files that end in {', '.join(VIDEOS)}, or folders of numbered images"
        )
    return found


def _of_images(path: Path, size: tuple[int, int] | None, every: int) -> Clip:
    images = [read_image(file, size) for file in in_order(path)[::every]]
    if not images:
        raise DataError(f"{path} has no frames; expected images that end in {', '.join(IMAGES)}")
    for image in images:
        if image.shape != images[0].shape:
            raise DataError(
                f"{path} has frames of {tuple(image.shape)} and {tuple(images[0].shape)}; expected one shape; "
                "make all alike, or give --image-size"
            )
    return Clip(torch.stack(images))


def _decoded(path: Source, size: tuple[int, int] | None, every: int) -> Clip:
    """A file's frames, as far as they can be decoded."""
    av = optional("av", "PyAV", "video")
    if not path.exists():
        raise DataError(f"there is no file {path}; check the path (now in {Path.cwd()})")
    frames: list[np.ndarray] = []
    whole, taken, count, seconds, reason = True, False, 0, 0.0, "it has no frames"
    try:
        with _opened(av, path) as container:
            for frame in container.decode(video=0):
                bounded(path, 3 * frame.width * frame.height)
                whole = whole and not frame.is_corrupt
                taken = count % every == 0 and not frame.is_corrupt
                if taken:
                    frames.append(_pixels(frame, size))
                count, seconds = count + 1, frame.time or 0.0
            whole = whole and not _ends_early(container, count, seconds, path)
        if path.suffix.lower() == ".gif" and not whole and taken and len(frames) > 1:
            del frames[-1]  # a GIF does not say which frame is not whole: it is the last one
    except DataError:
        raise
    except (av.error.FFmpegError, OSError, ValueError, IndexError) as error:  # IndexError: there are no pictures in it
        whole, reason = False, getattr(error, "strerror", None) or str(error).partition("\n")[0]
    if not frames:
        raise DataError(f"{path} is a broken video, or none: {reason}; mend it or take it out")
    return Clip(torch.from_numpy(np.stack(frames)), whole)


def _opened(av: Any, path: Source) -> Any:
    """What was sent may name no other file: it is read as what its name says, and opens nothing."""
    if not isinstance(path, Upload):
        return av.open(str(path))

    def nothing(*_: Any, **__: Any) -> None:
        raise ValueError("it leads elsewhere")

    return av.open(opened(path), format=CONTAINERS[path.suffix.lower()], io_open=nothing)


def _ends_early(container: Any, count: int, seconds: float, path: Source) -> bool:
    """Does a file promise more frames than it has? Some promise a number, some a time, and GIF an end."""
    stream = container.streams.video[0]
    if path.suffix.lower() == ".gif":
        return path.read_bytes()[-1:] != GIF_END
    if stream.frames:
        return count < stream.frames
    if container.duration is None or len(container.streams) > 1 or not stream.average_rate:
        return False  # it may be sound that lasts longer
    return seconds + 2 / float(stream.average_rate) < container.duration / 1_000_000


def _pixels(frame: Any, size: tuple[int, int] | None) -> np.ndarray:
    """(H, W, C), grey where the video is."""
    grey = frame.format.name.startswith(("gray", "mono"))
    sides = {} if size is None else {"width": size[1], "height": size[0]}
    pixels = frame.to_ndarray(format="gray" if grey else "rgb24", **sides)
    return pixels[..., None] if grey else pixels


def _of_arrays(path: Source, size: tuple[int, int] | None, every: int) -> Videos:
    arrays = read_arrays(path)
    x = arrays.get("x")
    if x is None or x.dtype != np.uint8 or x.ndim not in (4, 5) or not x.size:
        received = "nothing" if x is None else f"{x.dtype} {x.shape}"
        raise DataError(f"{path} expects bytes x (N, T, H, W) or (N, T, H, W, C), one or more; received {received}")
    for name, shape in (("boxes", (*x.shape[:2], 4)), ("unusual", x.shape[:2])):
        if name in arrays and (arrays[name].shape != shape or arrays[name].dtype.kind not in "fiub"):
            received = f"{arrays[name].dtype} {arrays[name].shape}"
            raise DataError(f"{path} expects numbers {name} {shape}; received {received}")
    frames = torch.from_numpy(x if x.ndim == 5 else x[..., None])[:, ::every]
    height, width = frames.shape[2:4]
    frames = resized(frames, size)
    higher, wider = frames.shape[2] / height, frames.shape[3] / width
    return Videos(
        list(frames),
        [f"video {number:,}" for number in range(1, len(x) + 1)],
        list(torch.from_numpy(arrays["boxes"]).float()[:, ::every] * torch.tensor([wider, higher] * 2))
        if "boxes" in arrays
        else None,
        list(torch.from_numpy(arrays["unusual"] != 0)[:, ::every]) if "unusual" in arrays else None,
    )
