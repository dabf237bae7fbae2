"""Where steps stand, for layers that do not read them in order.

Key: T time, B batch, E width.
"""

from math import log

import torch
from torch import Tensor


def with_places(x: Tensor, first: int = 0) -> Tensor:
    """Vectors (T, B, E) with waves of their places added, from the number `first` on (Vaswani et al. 2017).

    Example:
        >>> with_places(torch.zeros(2, 1, 4))[0, 0].tolist()
        [0.0, 1.0, 0.0, 1.0]
    """
    width = x.shape[2]
    places = torch.arange(first, first + len(x), dtype=x.dtype).unsqueeze(1)
    rates = torch.exp(torch.arange(0, width, 2, dtype=x.dtype) * (-log(10000.0) / width))
    waves = torch.stack([torch.sin(places * rates), torch.cos(places * rates)], dim=2).flatten(1)
    return x + waves[:, :width].unsqueeze(1)
