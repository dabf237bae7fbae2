"""Pictures that a person gives: arrays of bytes or files, of the shape that training had.

Key: H rows of pixels, W pixels in a row, C colours, 1 or 3.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from elman.data.tagged.scenes import read_pictures
from elman.errors import DataError


def as_picture(given: Any, place: str, size: tuple[int, int] | None = None) -> Tensor:
    """What a person gives for a picture, as bytes (H, W, C).

    Args:
        given: An array (H, W, C), or (H, W) of a grey one; or the path of a file with one picture.
        place: What to call it in an error.
        size: H and W to which a file is made.

    Raises:
        DataError: It is no picture, or several.

    Example:
        >>> as_picture(np.zeros((2, 3), np.uint8), "it").shape
        torch.Size([2, 3, 1])
    """
    if isinstance(given, str | Path):
        pictures, _ = read_pictures(Path(given), size)
        if len(pictures) != 1:
            raise DataError(f"{given} holds {len(pictures)} pictures; expected one; give them with --input")
        return pictures[0]
    try:
        found = torch.as_tensor(np.asarray(given))
    except (TypeError, ValueError, RuntimeError):
        raise DataError(f"{place} expects bytes (H, W) or (H, W, C), or a path; received {given!r:.40}") from None
    if found.dtype != torch.uint8 or found.dim() not in (2, 3):
        received = f"{found.dtype} {tuple(found.shape)}"
        raise DataError(f"{place} expects bytes (H, W) or (H, W, C), or a path; received {received}")
    return found if found.dim() == 3 else found.unsqueeze(2)


def check_shape(picture: Tensor, shape: Sequence[int], place: str) -> None:
    """See that a picture has the shape that training had.

    Raises:
        DataError: It has another.

    Example:
        >>> check_shape(torch.zeros(3, 3), (2, 3), "it")
        Traceback (most recent call last):
        ...
        elman.errors.DataError: it has the shape (3, 3); expected (2, 3), as in training; give --image-size
    """
    if tuple(picture.shape) != tuple(shape):
        raise DataError(
            f"{place} has the shape {tuple(picture.shape)}; expected {tuple(shape)}, as in training; give --image-size"
        )
