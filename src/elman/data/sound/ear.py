"""What is heard of a sound while it comes.

Key: N samples, W samples of a window, T moments, M bands.
"""

import numpy as np
import torch
from torch import Tensor

from elman.data.sound.mel import LogMel
from elman.errors import DataError, optional


class Ear:
    """Samples in as they come, in pieces of any size; moments out as soon as they can be: those of the whole sound.

    Args:
        mel: How it is heard.

    Example:
        >>> ear = Ear(LogMel(8000, 40))
        >>> [len(ear.hear(torch.zeros(150), 8000)) for _ in range(4)], len(ear.end())
        ([0, 2, 2, 2], 0)
    """

    def __init__(self, mel: LogMel) -> None:
        self.mel = mel
        self.rate: int | None = None
        """Of what comes; None before that."""
        self.begun = False
        """Has a moment come out?"""
        self._stream = None
        self.waiting = torch.zeros(0)
        """(N,), samples at the rate of `mel` that wait for more."""

    def hear(self, samples: Tensor, rate: int) -> Tensor:
        """The next samples (N,) -> the moments (T, M) that they complete.

        Raises:
            DataError: As `windows`.
            MissingExtra: soxr is not installed.
        """
        return self.mel.of(self.windows(samples, rate))

    def windows(self, samples: Tensor, rate: int) -> Tensor:
        """The next samples (N,) -> the windows (T, W) that they complete, which `mel.of` hears, also those of others.

        Raises:
            DataError: The rate is no whole number from 1, or another than before.
            MissingExtra: soxr is not installed.
        """
        if isinstance(rate, bool) or not isinstance(rate, int | np.integer) or rate < 1:
            raise DataError(f"rate expects a whole number of samples a second, from 1; received {rate!r:.40}")
        if self.rate is None:
            wanted = self.mel.rate
            if rate != wanted:
                self._stream = optional("soxr", "soxr", "sound").ResampleStream(rate, wanted, 1, dtype="float32")
            self.rate = rate
        if rate != self.rate:
            raise DataError(f"a sound of {self.rate:,} Hz goes on at {rate:,} Hz; expected one rate; resample it")
        return self._windows(self._resampled(samples))

    def end(self) -> Tensor:
        """Moments (T, M) that waited for more; a sound shorter than a window is one."""
        last = self.mel.of(self._windows(self._resampled(torch.zeros(0), last=True)))
        return last if self.begun else self.mel(self.waiting)

    def _resampled(self, samples: Tensor, *, last: bool = False) -> Tensor:
        if self._stream is None:
            return samples
        return torch.from_numpy(self._stream.resample_chunk(samples.numpy(), last=last))

    def _windows(self, samples: Tensor) -> Tensor:
        samples = torch.cat([self.waiting, samples])
        if len(samples) < self.mel.window:
            self.waiting = samples
            return samples.new_zeros(0, self.mel.window)
        found = samples.unfold(0, self.mel.window, self.mel.step)
        self.waiting, self.begun = samples[len(found) * self.mel.step :].clone(), True
        return found
