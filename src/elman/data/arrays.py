"""Arrays of numbers in files of numpy."""

import io
import tokenize
import zipfile
import zlib

import numpy as np

from elman.data.files import read_bytes
from elman.data.source import Source, bounded, bounded_count
from elman.errors import DataError

DAMAGES = (zipfile.BadZipFile, zlib.error, tokenize.TokenError, NotImplementedError, RuntimeError)
"""What comes of archives that are damaged, locked, or packed in ways that Python does not know."""
ARRAYS = (".npz", ".npy")
"""Ends of the names of files that hold arrays."""


def read_arrays(path: Source) -> dict[str, np.ndarray]:
    """The arrays of .npz, or the one of .npy, which is x.

    Raises:
        DataError: It is none, or holds objects.
    """
    try:
        data = io.BytesIO(read_bytes(path))
        if zipfile.is_zipfile(data):
            bounded(path, sum(one.file_size for one in zipfile.ZipFile(data).infolist()))
        data.seek(0)
        found = np.load(data, allow_pickle=False)
        if isinstance(found, np.ndarray):
            return _checked(path, {"x": found})
        with found:
            return _checked(path, {name: found[name] for name in found.files})
    except DataError:
        raise
    except (ValueError, OSError, EOFError, KeyError, MemoryError, SyntaxError, *DAMAGES) as error:
        reason = str(error).partition("\n")[0][:80] or type(error).__name__
        raise DataError(
            f"{path} cannot be read as .npz of numbers: {reason}; write it anew with numpy.savez"
        ) from error


def _checked(path: Source, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """As they are: entries of an array may be many without a byte in them."""
    for array in arrays.values():
        bounded_count(path, len(array) if array.ndim else 0)
    return arrays
