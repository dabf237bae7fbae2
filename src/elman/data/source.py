"""Where something is read from: a file, or what somebody has sent, which is held in memory and never becomes a file."""

import gzip
import io
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeGuard

from elman.errors import DataError

MOST = 200_000_000
"""Bytes that may come of what is sent, where nothing is said."""
EACH = 1000
"""Bytes that a line, or an entry of an array, counts at least."""
SHOWN = 80
"""Letters of a name in messages."""


class Allowance:
    """How much may still come of what somebody has sent together: few bytes can hold very many.

    Args:
        most: Bytes.

    Example:
        >>> allowance = Allowance(100)
        >>> allowance.take(60, "a.png")
        >>> allowance.take(60, "b.png")
        Traceback (most recent call last):
        ...
        elman.errors.DataError: b.png is too large once it is unpacked; expected 100 bytes at most of all files
    """

    def __init__(self, most: int = MOST) -> None:
        self.most = self.left = most

    def take(self, size: int, name: str) -> None:
        """Use up some of it.

        Raises:
            DataError: There is not enough left.
        """
        if size > self.left:
            raise DataError(
                f"{name} is too large once it is unpacked; expected {self.most:,} bytes at most of all files"
            )
        self.left -= size


@dataclass(frozen=True)
class Upload:
    """A file that somebody has sent. It answers what readers ask of a path, without a folder around it.

    Example:
        >>> upload = Upload.of("../../etc/Seven.WAV", b"RIFF")
        >>> str(upload), upload.suffix
        ('Seven.WAV', '.WAV')
    """

    name: str
    """Without folders; says what kind of file it is, and is shown in messages."""
    content: bytes = field(repr=False)
    allowance: Allowance = field(default_factory=Allowance, repr=False)

    @classmethod
    def of(cls, name: str, content: bytes, allowance: Allowance | None = None) -> "Upload":
        """What came under a name, whatever stands in it."""
        last = name.replace("\\", "/").rpartition("/")[2]
        shown = "".join(letter for letter in last if letter.isprintable())[-SHOWN:]
        return cls(shown, content, allowance or Allowance())

    @property
    def suffix(self) -> str:
        """The end of its name."""
        return Path(self.name).suffix

    def exists(self) -> bool:
        """It is there."""
        return True

    def read_bytes(self) -> bytes:
        """All of it."""
        return self.content

    def __str__(self) -> str:
        return self.name


Source = Path | Upload
"""A file, or what was sent."""


def opened(source: Source) -> str | io.BytesIO:
    """What libraries open: a path, or a file in memory."""
    return io.BytesIO(source.content) if isinstance(source, Upload) else str(source)


def is_folder(source: Source) -> TypeGuard[Path]:
    """Is it a folder? What was sent is none."""
    return isinstance(source, Path) and source.is_dir()


def folder_of(source: Source) -> str:
    """What to call the place of a file in messages; what was sent has none."""
    return "" if isinstance(source, Upload) else str(source.parent)


def bounded(source: Source, size: int) -> None:
    """See that what was sent does not become too large; files of one's own may.

    Args:
        source: What is about to be read.
        size: Bytes that come of it.

    Raises:
        DataError: It is too much.
    """
    if isinstance(source, Upload):
        source.allowance.take(size, source.name)


def bounded_count(source: Source, count: int) -> None:
    """See that what was sent has not too many lines, or entries of an array: each costs more than its bytes.

    Raises:
        DataError: It has.
    """
    bounded(source, EACH * count)


def unpacked(source: Source, data: bytes) -> bytes:
    """What is in a gzip file.

    Raises:
        DataError: It is too much.
    """
    if not isinstance(source, Upload):
        return gzip.decompress(data)
    most, parts = source.allowance.left, []
    while data:  # a gzip file may have several parts
        reader = zlib.decompressobj(zlib.MAX_WBITS | 16)
        parts.append(reader.decompress(data, most + 1))
        most -= len(parts[-1])
        if most >= 0 and not reader.eof:
            raise EOFError("it ends early")
        data = reader.unused_data if most >= 0 else b""
    found = b"".join(parts)
    bounded(source, len(found))
    return found
