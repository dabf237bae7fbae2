"""Files with sound as numbers: one channel, at the rate that is asked for.

Key: N samples.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from elman.errors import DataError, optional

SOUNDS = (".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif", ".au", ".w64")
"""Ends of the names of files that hold a sound."""


@dataclass(frozen=True)
class Sound:
    """A recording."""

    samples: Tensor
    """(N,), from -1 to 1."""
    rate: int
    """Samples a second."""
    whole: bool = True
    """Is all there that the file's beginning promises?"""

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


def read_sound(path: Path, rate: int | None = None) -> Sound:
    """A recording, its channels mixed to one.

    Args:
        path: A file that libsndfile reads, such as WAV of any width, FLAC, OGG or MP3.
        rate: Samples a second that it is made to; the file's own when omitted.

    Raises:
        DataError: It is no sound, or a broken one.
        MissingExtra: soundfile or soxr is not installed.
    """
    soundfile = optional("soundfile", "soundfile", "sound")
    with _broken(path, soundfile.LibsndfileError), soundfile.SoundFile(str(path)) as file:
        channels = torch.from_numpy(file.read(dtype="float32", always_2d=True))
        own, whole = file.samplerate, "should be" not in file.extra_info
    samples = channels.mean(1)
    if not samples.isfinite().all():
        raise DataError(f"{path} has samples that are no numbers; write it anew, or take it out")
    return Sound(samples if rate is None else resampled(samples, own, rate), rate or own, whole)


def rate_of(path: Path) -> int:
    """Samples a second of a file.

    Raises:
        DataError: It is no sound, or a broken one.
        MissingExtra: soundfile is not installed.
    """
    soundfile = optional("soundfile", "soundfile", "sound")
    with _broken(path, soundfile.LibsndfileError):
        return soundfile.info(str(path)).samplerate


def resampled(samples: Tensor, rate: int, wanted: int) -> Tensor:
    """Samples (N,) at another rate.

    Raises:
        MissingExtra: soxr is not installed.
    """
    if rate == wanted or not len(samples):
        return samples
    return torch.from_numpy(optional("soxr", "soxr", "sound").resample(samples.numpy(), rate, wanted))


@contextmanager
def _broken(path: Path, kind: type[Exception]) -> Iterator[None]:
    if not path.exists():
        raise DataError(f"there is no file {path}; check the path (now in {Path.cwd()})")
    try:
        yield
    except kind as error:
        reason = str(error).rpartition(": ")[2].rstrip(".")
        raise DataError(f"{path} is a broken sound, or none: {reason}; mend it or take it out") from error
