"""Sequences and their answers from what is no table: lines, folders, images, sounds, videos, arrays, FASTA."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from elman.data.arrays import read_arrays
from elman.data.files import read_text
from elman.data.labelled.fasta import read_fasta
from elman.data.labelled.images import IMAGES, read_idx, read_image
from elman.data.labelled.labelled import Columns, Kind, Labelled
from elman.data.labelled.sounds import sounds_of
from elman.data.labelled.videos import FILMS, videos_of, videos_of_array
from elman.data.pairs.pairs import tidy
from elman.data.sound.read import SOUNDS
from elman.data.source import Source, folder_of
from elman.data.video.read import in_order
from elman.errors import DataError

KINDS: dict[Kind, tuple[str, ...]] = {"text": (".txt",), "image": IMAGES, "sound": SOUNDS, "video": FILMS}
"""Ends of the names of files in folders."""
FILES = "texts (.txt), images, sounds or videos"


def texts_of_lines(path: Source, columns: Columns, answered: bool) -> Labelled:
    """Lines that begin with the answer."""
    numbered = [(n, line) for n, line in enumerate(read_text(path).split("\n"), 1) if line.strip()]
    places = [f"line {number:,}" for number, _ in numbered]
    if not answered:
        return Labelled("text", [line for _, line in numbered], [None] * len(places), str(path), places)
    parted = [(*line.split(maxsplit=1), "")[:2] for _, line in numbered]
    return Labelled("text", [tidy(text) for _, text in parted], [label for label, _ in parted], str(path), places)


def texts_of_fasta(path: Source, columns: Columns, answered: bool) -> Labelled:
    """Records whose header ends in the answer."""
    records = read_fasta(path)
    answers = [header.split()[-1] if answered and header.split() else None for header, _ in records]
    places = [
        f"record {header.split()[0] if header.split() else number}" for number, (header, _) in enumerate(records, 1)
    ]
    return Labelled("text", [sequence for _, sequence in records], answers, str(path), places)


def of_folder(path: Source, columns: Columns, answered: bool) -> Labelled:
    """A folder for each class."""
    assert isinstance(path, Path)
    files = sorted(_files(path, answered))
    if not files:
        wanted = f"a folder for each class, with {FILES} in it" if answered else FILES
        raise DataError(f"{path} has no examples; expected {wanted}")
    answers: list[Any] = [label if answered else None for label, _ in files]
    places = [str(file.relative_to(path)) for _, file in files]
    kinds = [_kind(file) for _, file in files]
    other = next((row for row, kind in enumerate(kinds) if kind != kinds[0]), None)
    if other is not None:
        raise DataError(
            f"{path} has files of several kinds: {kinds[0]} in {places[0]}, {kinds[other]} in {places[other]}; "
            "expected one kind; take the others out"
        )
    if kinds[0] == "text":
        return Labelled("text", [tidy(read_text(file)) for _, file in files], answers, str(path), places)
    if kinds[0] == "sound":
        return sounds_of([file for _, file in files], answers, str(path), places)
    if kinds[0] == "video":
        return videos_of([file for _, file in files], answers, str(path), places, columns)
    images = [read_image(file, columns.image_size) for _, file in files]
    for image, place in zip(images, places, strict=True):
        if image.shape != images[0].shape:
            raise DataError(
                f"{path / place} has the shape {tuple(image.shape)}; expected {tuple(images[0].shape)}, as {places[0]}"
                "; make all alike, or give --image-size"
            )
    return Labelled("image", images, answers, str(path), places)


def _files(path: Path, answered: bool) -> Iterator[tuple[str, Path]]:
    """Files, and folders of a video's frames, with the names of the folders in which they are."""
    known = [end for ends in KINDS.values() for end in ends]
    for folder in sorted(path.iterdir()) if answered else [path]:
        if folder.is_dir():
            found = (file for file in folder.iterdir() if file.suffix.lower() in known or in_order(file))
            yield from ((folder.name, file) for file in found)


def _kind(file: Path) -> Kind:
    if file.is_dir():
        return "video"
    return next(kind for kind, ends in KINDS.items() if file.suffix.lower() in ends)


def one_image(path: Source, columns: Columns, answered: bool) -> Labelled:
    """An image by itself."""
    if answered:
        raise DataError(f"{path} is one image, without an answer; expected a folder for each class")
    return Labelled("image", [read_image(path, columns.image_size)], [None], folder_of(path), [path.name])


def images_of_idx(path: Source, columns: Columns, answered: bool) -> Labelled:
    """Images of MNIST's form, their labels in the file beside."""
    images = read_idx(path)
    if images.dim() not in (3, 4):
        raise DataError(f"{path} expects images, (N, H, W); received the shape {tuple(images.shape)}; give their file")
    return _images(images, _idx_labels(path, len(images)) if answered and isinstance(path, Path) else None, path)


def _idx_labels(path: Path, count: int) -> Tensor:
    other = path.with_name(path.name.replace("images", "labels").replace("idx3", "idx1").replace("idx4", "idx1"))
    if other == path or not other.exists():
        raise DataError(f"{path} needs its labels beside it, in {other.name if other != path else 'a labels file'}")
    labels = read_idx(other)
    if labels.shape != (count,):
        raise DataError(f"{other} expects {count:,} labels, as {path.name} has images; received {tuple(labels.shape)}")
    return labels


def _images(images: Tensor, answers: Any, path: Source) -> Labelled:
    images = images if images.dim() == 4 else images.unsqueeze(3)
    said = [None] * len(images) if answers is None else [str(one) for one in answers.tolist()]
    return Labelled("image", list(images), said, str(path), [f"image {n:,}" for n in range(1, len(images) + 1)])


def of_arrays(path: Source, columns: Columns, answered: bool) -> Labelled:
    """Arrays x and y of .npz."""
    arrays = read_arrays(path)
    label = columns.label or "y"
    for name in ("x", *((label,) if answered else ())):
        if name not in arrays:
            raise DataError(f"{path} has no array {name!r} (there is: {', '.join(arrays)}); expected x and {label}")
    x, y = arrays["x"], arrays[label] if answered else None
    wanted = 2 if columns.stepwise else 1
    if y is not None and (y.shape[:wanted] != x.shape[:wanted] or (columns.stepwise and y.ndim > wanted)):
        raise DataError(
            f"{path} has x of shape {x.shape}, but {label} of shape {y.shape}; expected {x.shape[:wanted]} of them"
        )
    if not columns.stepwise and x.dtype == np.uint8 and (x.ndim == 5 or (x.ndim == 4 and x.shape[3] not in (1, 3))):
        return videos_of_array(x, y, path, columns)
    if not columns.stepwise and x.dtype == np.uint8 and x.ndim in (3, 4):
        return _images(torch.from_numpy(x), y, path)
    if x.ndim not in (2, 3) or x.dtype.kind not in "fiu":
        raise DataError(f"{path} expects numbers x (N, T) or (N, T, F); received {x.dtype} {x.shape}")
    if not np.isfinite(x).all():
        raise DataError(f"{path} has values in x that are missing or not finite; fill them in")
    sequences = torch.from_numpy(x.astype(np.float32).reshape(*x.shape[:2], -1))
    lengths = arrays.get("lengths", np.full(len(x), x.shape[1]))
    if lengths.shape != x.shape[:1] or (len(x) and not 0 <= lengths.min() <= lengths.max() <= x.shape[1]):
        raise DataError(f"{path} expects lengths from 0 to {x.shape[1]}, one for each of {len(x):,} sequences")
    inputs = [one[:length] for one, length in zip(sequences, lengths.tolist(), strict=True)]
    answers: list[Any] = [None] * len(x) if y is None else _said(y)
    if columns.stepwise and y is not None:
        answers = [said[:length] for said, length in zip(answers, lengths.tolist(), strict=True)]
    return Labelled("series", inputs, answers, str(path), [f"sequence {n:,}" for n in range(1, len(x) + 1)])


def _said(y: np.ndarray) -> list[Any]:
    """Labels as texts, numbers as numbers."""
    return (y.astype(str) if y.dtype.kind in "iuU" else y).tolist()
