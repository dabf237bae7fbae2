"""Arrays of numbers in files of numpy."""

import io
from pathlib import Path

import numpy as np

from elman.data.files import read_bytes
from elman.errors import DataError


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of .npz.

    Raises:
        DataError: It is none, or holds objects.
    """
    try:
        with np.load(io.BytesIO(read_bytes(path)), allow_pickle=False) as found:
            return {name: found[name] for name in found.files}
    except (ValueError, OSError, EOFError, KeyError) as error:
        reason = str(error).partition("\n")[0]
        raise DataError(
            f"{path} cannot be read as .npz of numbers: {reason}; write it anew with numpy.savez"
        ) from error
