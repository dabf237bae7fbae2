"""Pictures with masks: what each of their places shows.

Key: N pictures, H rows of pixels, W pixels in a row, C colours.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from elman.data.arrays import ARRAYS, read_arrays
from elman.data.labelled.images import IMAGES, read_image, read_pixels
from elman.data.source import Source, is_folder
from elman.data.text import VALIDATION_SHARE, held_out
from elman.errors import DataError


@dataclass(frozen=True)
class Scenes:
    """Pictures of one size, and their masks."""

    images: Sequence[Tensor]
    """Each (H, W, C), bytes."""
    masks: Sequence[Tensor]
    """Each (H, W), the number of a class at every pixel."""
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.images)

    @property
    def fingerprint(self) -> str:
        """Tells whether a later call reads the same."""
        digest = hashlib.sha256()
        for one in (*self.images, *self.masks):
            digest.update(one.numpy().tobytes())
        return digest.hexdigest()

    def split(self, share: float = VALIDATION_SHARE) -> tuple["Scenes", "Scenes"]:
        """Those to train on, and the last ones for validation.

        Raises:
            DataError: There are too few.
        """
        count, note = held_out(len(self), share, "pictures")
        train = replace(self, images=self.images[:-count], masks=self.masks[:-count], notes=(*self.notes, note))
        return train, replace(self, images=self.images[-count:], masks=self.masks[-count:], notes=())


def read_scenes(path: Source, size: tuple[int, int] | None = None) -> Scenes:
    """Pictures and masks, in one of these forms.

    - A folder with the folders `images` and `masks`: for each picture a mask of the same name in PNG, whose pixels are
      numbers of classes, as grey values or as places in a palette.
    - .npz: bytes x (N, H, W[, C]) and whole numbers y (N, H, W).

    Args:
        path: The folder or file.
        size: H and W to which pictures and masks are made; all must be alike when omitted.

    Raises:
        DataError: It cannot be used.
    """
    found = _of_folder(path, size) if is_folder(path) else _of_arrays(path)
    if not len(found):
        raise DataError(f"{path} has no pictures; expected them in the folder images, and their masks in masks")
    return found


def read_pictures(path: Source, size: tuple[int, int] | None = None) -> tuple[list[Tensor], list[str]]:
    """Pictures without masks, and their names: a folder of them, one of them, or x in .npz.

    Raises:
        DataError: There is none, or one cannot be read.
    """
    if path.suffix in ARRAYS:
        images = _images(read_arrays(path), path)
        return images, [f"image {number:,}" for number in range(1, len(images) + 1)]
    files = _pictures(path / "images" if (path / "images").is_dir() else path) if is_folder(path) else [path]
    if not files:
        raise DataError(f"{path} has no pictures; expected files that end in {', '.join(IMAGES)}")
    return [read_image(file, size) for file in files], [file.name for file in files]


def _of_folder(path: Path, size: tuple[int, int] | None) -> Scenes:
    for name in ("images", "masks"):
        if not (path / name).is_dir():
            raise DataError(f"{path} has no folder {name}; expected images, and masks of the same names in masks")
    files = _pictures(path / "images")
    images, masks = [read_image(file, size) for file in files], []
    for file, image in zip(files, images, strict=True):
        mask = path / "masks" / f"{file.stem}.png"
        masks.append(read_pixels(mask, size).long())
        _check_shapes(image, masks[-1], images[0], str(file))
    return Scenes(images, masks)


def _pictures(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in IMAGES)


def _of_arrays(path: Source) -> Scenes:
    arrays = read_arrays(path)
    images, y = _images(arrays, path), arrays.get("y")
    if y is None or y.ndim != 3 or y.dtype.kind not in "iu" or len(y) != len(images) or (y < 0).any():
        received = "nothing" if y is None else f"{y.dtype} {y.shape}"
        raise DataError(f"{path} expects whole numbers y ({len(images)}, H, W) from 0; received {received}")
    masks = list(torch.from_numpy(y.astype(np.int64)))
    for image, mask in zip(images, masks, strict=True):
        _check_shapes(image, mask, images[0], str(path))
    return Scenes(images, masks)


def _images(arrays: dict[str, np.ndarray], path: Source) -> list[Tensor]:
    x = arrays.get("x")
    if x is None or x.dtype != np.uint8 or x.ndim not in (3, 4):
        received = "nothing" if x is None else f"{x.dtype} {x.shape}"
        raise DataError(f"{path} expects bytes x (N, H, W) or (N, H, W, C); received {received}")
    return list(torch.from_numpy(x if x.ndim == 4 else x[..., None]))


def _check_shapes(image: Tensor, mask: Tensor, first: Tensor, place: str) -> None:
    if image.shape != first.shape:
        raise DataError(
            f"{place} has the shape {tuple(image.shape)}; expected {tuple(first.shape)}, as the first one; "
            "make all alike, or give --image-size"
        )
    if mask.shape != image.shape[:2]:
        raise DataError(
            f"the mask of {place} has the shape {tuple(mask.shape)}; expected {tuple(image.shape[:2])}, as the picture"
        )
