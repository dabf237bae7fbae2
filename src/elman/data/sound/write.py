"""Samples as a file."""

from pathlib import Path

from torch import Tensor

from elman.data.files import replacing
from elman.errors import optional


def write_sound(path: Path, samples: Tensor, rate: int) -> None:
    """Write samples (N,) from -1 to 1 as WAV or FLAC of 16 bits, whole or not at all.

    Raises:
        MissingExtra: soundfile is not installed.
    """
    soundfile = optional("soundfile", "soundfile", "sound")
    with replacing(path) as temporary:
        soundfile.write(str(temporary), samples.numpy(), rate, format=path.suffix.lstrip(".").upper(), subtype="PCM_16")
