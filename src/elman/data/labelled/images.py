"""Images as numbers from 0 to 255: files that Pillow reads, and the idx files of MNIST.

Key: N images, H rows of pixels, W pixels in a row, C colours, 1 or 3.
"""

import math
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from elman.data.files import read_bytes
from elman.data.source import Source, bounded, bounded_count, opened
from elman.errors import DataError

IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
"""Ends of the names of files that hold an image."""
IDX = (".idx", "-idx3-ubyte", "-idx4-ubyte")
"""Ends of the names of files that hold images in the form of MNIST."""
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF")
"""What such files hold; Pillow knows others that start programs to be read."""


def read_image(path: Source, size: tuple[int, int] | None = None) -> Tensor:
    """An image (H, W, C) of bytes: grey where its file is, otherwise in colour, without transparency.

    Args:
        path: The file.
        size: H and W to which it is made.

    Raises:
        DataError: It is no image, or a broken one.
    """
    from PIL import Image

    def kept(image: Image.Image) -> Image.Image:
        image = image.convert("L" if image.mode in ("1", "L", "LA", "I", "I;16") else "RGB")
        return image if size is None else image.resize((size[1], size[0]))

    pixels = _opened(path, kept)
    return pixels if pixels.dim() == 3 else pixels.unsqueeze(2)


def read_pixels(path: Source, size: tuple[int, int] | None = None) -> Tensor:
    """The numbers of an image's pixels (H, W), as they stand in the file: grey values, or places in its palette.

    Args:
        path: The file.
        size: H and W to which it is made, without numbers that are not there.

    Raises:
        DataError: It is no image, a broken one, or one of several colours.
    """
    from PIL import Image

    def kept(image: Image.Image) -> Image.Image:
        if image.mode not in ("1", "L", "P", "I", "I;16"):
            raise ValueError(f"expected grey values or a palette; received {image.mode}")
        return image if size is None else image.resize((size[1], size[0]), Image.Resampling.NEAREST)

    return _opened(path, kept)


def _opened(path: Source, kept: Callable[[Any], Any]) -> Tensor:
    """What is kept of an image, as numbers."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(opened(path), formats=FORMATS) as image:
            bounded(path, 3 * image.width * image.height)
            return torch.from_numpy(np.array(kept(image)))
    except FileNotFoundError:
        raise DataError(f"there is no file {path}; check the path (now in {Path.cwd()})") from None
    except DataError:
        raise
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        reason = str(error).partition("\n")[0]
        raise DataError(f"{path} is a broken image, or none: {reason}; mend it or take it out") from error


def is_image(path: Source) -> bool:
    """Whether a file is named like an image.

    Example:
        >>> is_image(Path("cat.JPG"))
        True
    """
    return path.suffix.lower() in IMAGES


def is_idx(path: Source) -> bool:
    """Whether a file is named like those of MNIST.

    Example:
        >>> is_idx(Path("train-images-idx3-ubyte.gz"))
        True
    """
    return "-idx" in path.name or path.name.removesuffix(".gz").endswith(".idx")


def read_idx(path: Source) -> Tensor:
    """Bytes in the idx form of MNIST, of any shape; packed where the name ends in .gz.

    Raises:
        DataError: The file is none, or not whole.
    """
    data = read_bytes(path)
    if len(data) < 4 or data[:3] != b"\0\0\x08":
        raise DataError(
            f"{path} is no idx file of bytes: expected it to begin with 00 00 08; received {data[:3].hex(' ')}"
        )
    dimensions = data[3]
    header = 4 + 4 * dimensions
    if len(data) < header:
        raise DataError(f"{path} is cut off in its first {header} bytes; copy it again")
    shape = struct.unpack(f">{dimensions}I", data[4:header])
    if len(data) - header != math.prod(shape):
        raise DataError(
            f"{path} expects {math.prod(shape):,} bytes for its shape {shape}; received {len(data) - header:,}; "
            "it is cut off or damaged; copy it again"
        )
    bounded_count(path, shape[0] if shape else 0)
    return torch.from_numpy(np.frombuffer(data, np.uint8, offset=header).reshape(shape).copy())
