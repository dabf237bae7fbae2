"""Reading and writing so that nothing is lost: a file is written beside its place, then renamed into it."""

import gzip
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from elman.data.source import Source, bounded_count, unpacked
from elman.errors import DataError, RunError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to; it takes the place of `path` in one instant when the block ends well.

    Raises:
        RunError: The disk is full, or the folder cannot be written.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        raise RunError(
            f"could not write {path}: {error.strerror or error}; what stood there is untouched; "
            "make room, or choose a place that can be written"
        ) from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    """Write safetensors, whole or not at all."""
    with replacing(path) as temporary:
        try:
            save_file(tensors, temporary, metadata)
        except SafetensorError as error:  # so it calls a full disk
            raise OSError(str(error)) from error


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a run folder.

    Raises:
        RunError: The file is missing or holds something else.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror}; is this a run folder of elman?") from error
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path} is damaged: expected JSON, {error}; restore it or train again") from error
    if not isinstance(value, dict):
        raise RunError(f"{path} expects a JSON object; received {type(value).__name__}; is this a run of elman?")
    return value


def read_bytes(path: Source) -> bytes:
    """A file's bytes, unpacked where its name ends in .gz.

    Raises:
        DataError: It is missing, a folder, unreadable, or no gzip.
    """
    try:
        data = path.read_bytes()
        return unpacked(path, data) if path.suffix == ".gz" else data
    except gzip.BadGzipFile as error:
        raise DataError(f"{path} ends in .gz but is not gzip: {error}; unpack it or rename it") from error
    except (EOFError, gzip.zlib.error) as error:  # pyright: ignore[reportAttributeAccessIssue]
        raise DataError(f"{path} is a damaged gzip file: {error}; copy it again") from error
    except FileNotFoundError as error:
        raise DataError(f"there is no file {path}; check the path (now in {Path.cwd()})") from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}; expected a file that can be read") from error


def read_text(path: Source) -> str:
    """A file's text: UTF-8 of any language, with or without a byte-order mark, any line ends.

    Raises:
        DataError: As `read_bytes`, or the bytes are not UTF-8, or there are none.
    """
    data = read_bytes(path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is not UTF-8: byte 0x{data[error.start]:02x} at offset {error.start:,}; "
            f"convert it first, e.g. iconv -f GB18030 -t UTF-8"
        ) from error
    if not text:
        raise DataError(f"{path} is empty; expected UTF-8 text")
    bounded_count(path, text.count("\n") + text.count("\r"))
    return text.replace("\r\n", "\n").replace("\r", "\n")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Nobody else may work in the folder within the block, on systems that have such locks.

    Raises:
        RunError: Somebody does.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(f"{folder} is in use by another training; wait for it, or choose another folder") from None
        yield
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
