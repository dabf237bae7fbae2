"""Files with sound as numbers: one channel, at the rate that is asked for.

Key: N samples.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from elman.data.source import Source, Upload, bounded, opened
from elman.errors import DataError, optional

SOUNDS = (".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif", ".au", ".w64")
"""Ends of the names of files that hold a sound."""
STANDARD_INPUT = "-"
"""Stands for a WAV that comes through the standard input."""
RATES = range(1000, 768_001)
"""Samples a second that are believed, of what comes from elsewhere."""
UNKNOWN = 0x7FFF0000
"""Bytes that no header means: the length was not known when it was written."""


@dataclass(frozen=True)
class Sound:
    """A recording."""

    samples: Tensor
    """(N,), from -1 to 1."""
    rate: int
    """Samples a second."""
    whole: bool = True
    """Is all there that the beginning of a WAV or AIFF promises?"""

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.samples) / self.rate

    @property
    def silent(self) -> bool:
        """Is there nothing to hear?"""
        return not bool(self.samples.any())


def read_sound(path: Source, rate: int | None = None) -> Sound:
    """A recording, its channels mixed to one.

    Args:
        path: A file that libsndfile reads, such as WAV of any width, FLAC, OGG or MP3.
        rate: Samples a second that it is made to; the file's own when omitted.

    Raises:
        DataError: It is no sound, or a broken one.
        MissingExtra: soundfile or soxr is not installed.
    """
    with _opened(path) as file:
        samples, own, whole = _mixed(file, -1, path), file.samplerate, not _ends_early(file.extra_info)
    return Sound(samples if rate is None else resampled(samples, own, rate), rate or own, whole)


def sound_blocks(path: Source, seconds: float) -> Iterator[Sound]:
    """A recording in blocks of so many seconds, the last one shorter: so memory does not grow with it.

    Args:
        path: As in `read_sound`; or "-", a WAV that comes through the standard input.
        seconds: Of a block.

    Raises:
        DataError: It is no sound, or a broken one.
        MissingExtra: soundfile is not installed.
    """
    with _opened(path) as file:
        file.seekable = lambda: False  # it seeks behind each block otherwise, and MP3 sounds wrong after that
        count = max(1, round(seconds * file.samplerate))
        while len(samples := _mixed(file, count, path)):
            yield Sound(samples, file.samplerate)


def _mixed(file: Any, count: int, path: Source) -> Tensor:
    """The next samples (N,), -1 for all, the channels mixed."""
    samples = torch.from_numpy(file.read(count, dtype="float32", always_2d=True)).mean(1)
    if not samples.isfinite().all():
        raise DataError(f"{path} has samples that are no numbers; write it anew, or take it out")
    return samples


def resampled(samples: Tensor, rate: int, wanted: int) -> Tensor:
    """Samples (N,) at another rate.

    Raises:
        MissingExtra: soxr is not installed.
    """
    if rate == wanted or not len(samples):
        return samples
    return torch.from_numpy(optional("soxr", "soxr", "sound").resample(samples.numpy(), rate, wanted))


def _ends_early(log: str) -> bool:
    """Does a WAV or AIFF promise more samples than it has? Programs that do not know the length promise the most."""
    found = re.search(r"^\s*(?:data|SSND)\s*:\s*(\d+) \(should be (\d+)\)", log, re.MULTILINE)
    return found is not None and int(found[2]) < int(found[1]) < UNKNOWN


@contextmanager
def _opened(path: Source) -> Iterator[Any]:
    soundfile, piped = optional("soundfile", "soundfile", "sound"), str(path) == STANDARD_INPUT
    try:
        if not piped and not path.exists():
            raise DataError(f"there is no file {path}; check the path (now in {Path.cwd()})")
        with soundfile.SoundFile(0, closefd=False) if piped else soundfile.SoundFile(opened(path)) as file:
            if isinstance(path, Upload) and file.samplerate not in RATES:
                raise DataError(f"{path} has {file.samplerate:,} samples a second; expected 1,000 to 768,000")
            bounded(path, 4 * file.frames * file.channels)
            yield file
    except (soundfile.LibsndfileError, OSError, TypeError) as error:  # TypeError: samples without a header
        reason = str(error).rpartition(": ")[2].rstrip(".")
        raise DataError(f"{path} is a broken sound, or none: {reason}; mend it or take it out") from error
