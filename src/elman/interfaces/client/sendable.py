"""Arrays, tensors, tables and sounds in the form in which they are sent."""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from elman.errors import DataError


def sendable(value: Any) -> Any:
    """What JSON has for a value; a float that is no number is null.

    Raises:
        DataError: It has nothing for it.

    Example:
        >>> import numpy as np
        >>> sendable({"samples": np.zeros(2, np.float32), "rate": 8000})
        {'samples': [0.0, 0.0], 'rate': 8000}
        >>> sendable([float("nan"), (1, "a")])
        [None, [1, 'a']]
    """
    if isinstance(value, float):
        return None if math.isnan(value) else value
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, date):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): sendable(one) for name, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [sendable(one) for one in value]
    return sendable(_plain(value))


def _plain(value: Any) -> Any:
    """Of an object what it holds."""
    if hasattr(value, "samples") and hasattr(value, "rate"):
        return {"samples": value.samples, "rate": value.rate}
    if hasattr(value, "columns"):  # a frame of Polars or pandas
        return {name: value[name] for name in value.columns}
    for lists in ("tolist", "to_list"):
        if hasattr(value, lists):
            return getattr(value, lists)()
    raise DataError(f"a server expects texts, numbers, arrays or tables; received {type(value).__name__}")


def written(value: Any) -> bytes:
    """A value as JSON.

    Raises:
        DataError: There is something in it that JSON has not.
    """
    try:
        return json.dumps(sendable(value), allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise DataError(f"a server expects finite numbers and whole letters; received others: {error}") from None
