"""What came over a wire, as inputs of models: texts, lists of numbers, samples; never a path.

Key: N samples.
"""

from typing import Any

import numpy as np
import torch

from elman.data import RATES, Sound
from elman.errors import DataError


def received_text(given: Any) -> str:
    """A text.

    Raises:
        DataError: It is something else.
    """
    if not isinstance(given, str):
        raise DataError(f"an input expects a text; received {type(given).__name__}")
    return given


def received_numbers(given: Any, *, pixels: bool = False) -> np.ndarray:
    """Lists of numbers within lists.

    Args:
        given: As JSON has them.
        pixels: They are whole numbers from 0 to 255.

    Raises:
        DataError: They are something else, or not all of one length.

    Example:
        >>> received_numbers([[0, 1], [2, 255]], pixels=True).dtype
        dtype('uint8')
    """
    try:
        found = np.array(given) if isinstance(given, list) else np.array(None)
    except ValueError:
        found = np.array(None)
    if found.dtype.kind not in ("iu" if pixels else "iuf") or not found.size:
        what = "lists of whole numbers from 0 to 255" if pixels else "lists of numbers"
        raise DataError(f"an input expects {what}, all of one length; received {type(given).__name__}")
    if pixels and (found.min() < 0 or found.max() > 255):
        raise DataError(f"pixels expect 0 to 255; received {found.min()} to {found.max()}")
    return found.astype(np.uint8 if pixels else np.float32)


def received_sound(given: Any) -> Sound:
    """Samples (N,) from -1 to 1 and how many there are in a second, as `{"samples": [...], "rate": 8000}`.

    Raises:
        DataError: It is something else.
    """
    if not isinstance(given, dict) or given.keys() != {"samples", "rate"} or not isinstance(given["rate"], int):
        raise DataError('an input expects a sound as {"samples": [...], "rate": 8000}; received something else')
    samples, rate = received_numbers(given["samples"]), given["rate"]
    if samples.ndim != 1 or not np.isfinite(samples).all() or rate not in RATES:
        raise DataError("a sound expects one row of numbers, and a rate from 1,000 to 768,000; received something else")
    return Sound(torch.from_numpy(samples), rate)
