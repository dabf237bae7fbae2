"""Samples as one of 256 numbers, finer where a sound is soft (mu-law, ITU-T G.711 with its continuous curve).

Key: N samples.
"""

from math import log1p

import torch
from torch import Tensor

LEVELS = 256
MU = LEVELS - 1


def mu_law(samples: Tensor) -> Tensor:
    """Samples (N,) from -1 to 1 as whole numbers from 0 to 255; what is louder is cut.

    >>> mu_law(torch.tensor([-1.0, 0.0, 0.01, 2.0])).tolist()
    [0, 128, 157, 255]
    """
    samples = samples.clamp(-1, 1)
    curve = samples.sign() * (MU * samples.abs()).log1p() / log1p(MU)
    return ((curve + 1) / 2 * MU + 0.5).long()


def from_mu_law(numbers: Tensor) -> Tensor:
    """And back, (N,) from -1 to 1.

    >>> round(float(from_mu_law(mu_law(torch.tensor([0.5])))[0]), 2)
    0.5
    """
    curve = numbers.float() / MU * 2 - 1
    return curve.sign() * torch.expm1(curve.abs() * log1p(MU)) / MU
