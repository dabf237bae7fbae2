"""What an ear makes of a sound: how much there is of each pitch, from one moment to the next.

Key: N samples, W samples of a window, S samples from one window to the next, T windows, M bands.
"""

from math import log10

import torch
from torch import Tensor

from elman.layers import steady_linear

WINDOW, MOMENT = 0.025, 0.010
"""Seconds of a window, and from one to the next."""
QUIET = 1e-6
"""Less than this counts as this: the logarithm of silence."""


class LogMel:
    """The logarithm of the power in bands that lie as the ear hears them (Davis and Mermelstein 1980).

    Windows of 25 ms every 10 ms under a Hann curve; triangles of HTK's mel scale from 0 to half the rate, no weights.
    The first window begins with the first sample, and none reaches beyond the last one but where there are fewer
    samples than a window: so what is heard of a beginning never changes when more comes.

    Args:
        rate: Samples a second.
        bands: M.

    Example:
        >>> LogMel(8000, 40)(torch.zeros(800)).shape
        torch.Size([8, 40])
    """

    def __init__(self, rate: int, bands: int) -> None:
        self.rate, self.bands = rate, bands
        self.window, self.step = round(WINDOW * rate), round(MOMENT * rate)
        self.size = 1 << (self.window - 1).bit_length()
        """Samples of a transform: the next power of two."""
        self.curve = torch.hann_window(self.window)
        self.filters = mel_filters(rate, self.size, bands).T.contiguous()

    def __call__(self, samples: Tensor) -> Tensor:
        """Samples (N,) -> (T, M); no samples, no windows."""
        if not len(samples):
            return samples.new_zeros(0, self.bands)
        if len(samples) < self.window:
            samples = torch.cat([samples, samples.new_zeros(self.window - len(samples))])
        return self.of(samples.unfold(0, self.window, self.step))

    def of(self, windows: Tensor) -> Tensor:
        """Windows (T, W), of one sound or several -> (T, M)."""
        if not len(windows):
            return windows.new_zeros(0, self.bands)
        power = torch.fft.rfft(windows * self.curve, self.size).abs().square()
        return steady_linear(power, self.filters).clamp_min(QUIET).log()


def mel_filters(rate: int, size: int, bands: int) -> Tensor:
    """Triangles on HTK's mel scale, (size // 2 + 1, M): each rises from the middle of the one before to its own.

    >>> mel_filters(8000, 256, 40).shape
    torch.Size([129, 40])
    """
    borders = torch.linspace(0, _mel(rate / 2), bands + 2, dtype=torch.float64)
    hertz = 700 * (10 ** (borders / 2595) - 1)
    pitch = torch.linspace(0, rate / 2, size // 2 + 1, dtype=torch.float64).unsqueeze(1)
    low, middle, high = hertz[:-2], hertz[1:-1], hertz[2:]
    rising, falling = (pitch - low) / (middle - low), (high - pitch) / (high - middle)
    return torch.minimum(rising, falling).clamp_min(0).float()


def _mel(hertz: float) -> float:
    return 2595 * log10(1 + hertz / 700)
