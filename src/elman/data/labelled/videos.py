"""Videos and their answers.

Key: N videos, T frames, H rows of pixels, W pixels in a row, C colours.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from elman.data.labelled.labelled import Columns, Labelled
from elman.data.source import Source, folder_of
from elman.data.video.read import VIDEOS, cut_off, read_clip, resized
from elman.errors import DataError

FILMS = tuple(end for end in VIDEOS if end != ".gif")
"""Ends of the names of files that hold a video where images may stand too; a GIF is an image there."""


def is_film(path: Source) -> bool:
    """Whether a file is named like a video.

    Example:
        >>> from pathlib import Path
        >>> is_film(Path("walk.MP4")), is_film(Path("cat.gif"))
        (True, False)
    """
    return path.suffix.lower() in FILMS


def one_video(path: Source, columns: Columns, answered: bool) -> Labelled:
    """A video by itself."""
    if answered:
        raise DataError(f"{path} is one video, without an answer; expected a table of videos and answers, or folders")
    return videos_of([path], [None], folder_of(path), [path.name], columns)


def videos_of(
    files: Sequence[Source], answers: Sequence[Any], name: str, places: Sequence[str], columns: Columns
) -> Labelled:
    """Videos from files, or from folders of numbered images; and what is odd about them."""
    clips = [read_clip(file, columns.image_size, columns.every) for file in files]
    first = clips[0].frames.shape[1:]
    for clip, place in zip(clips, places, strict=True):
        if clip.frames.shape[1:] != first:
            raise DataError(
                f"{name} {place} has frames of {tuple(clip.frames.shape[1:])}; expected {tuple(first)}, as {places[0]}"
                "; make all alike, or give --image-size"
            )
    return Labelled("video", [clip.frames for clip in clips], answers, name, places, cut_off(places, clips))


def videos_of_array(x: np.ndarray, y: np.ndarray | None, path: Source, columns: Columns) -> Labelled:
    """Bytes (N, T, H, W) or (N, T, H, W, C), and what they are."""
    frames = torch.from_numpy(x if x.ndim == 5 else x[..., None])[:, :: columns.every]
    frames = resized(frames, columns.image_size)
    said = [None] * len(x) if y is None else [str(one) for one in y.tolist()]
    return Labelled("video", list(frames), said, str(path), [f"video {n:,}" for n in range(1, len(x) + 1)])
