"""Parts of a sound's picture blanked in training, so that no network leans on a few of them.

Key: T time, B batch, F features.
"""

import torch
from torch import Tensor

STEPS, FEATURES = 0.2, 0.25
"""The longest stretch that is blanked, as a share of a sequence's steps, and of its features."""


def spec_augment(x: Tensor, lengths: Tensor, masks: int) -> Tensor:
    """Zeros over stretches of steps and of features, for each sequence others (SpecAugment, Park et al. 2019).

    Args:
        x: (T, B, F), of mean zero.
        lengths: (B,).
        masks: So many stretches of steps, and so many of features.

    Example:
        >>> import torch
        >>> y = spec_augment(torch.ones(50, 3, 20), torch.tensor([50, 40, 30]), 2)
        >>> y.shape, 0.2 < float(y.mean()) < 1
        (torch.Size([50, 3, 20]), True)
    """
    time, batch, features = x.shape
    counts = lengths.to(x.device)
    for _ in range(masks):
        x = x.masked_fill(_stretches(time, counts, STEPS).T.unsqueeze(2), 0)
        x = x.masked_fill(_stretches(features, counts.new_full((batch,), features), FEATURES).unsqueeze(0), 0)
    return x


def _stretches(size: int, whole: Tensor, share: float) -> Tensor:
    """(B, size), true in a stretch of each row's `whole` (B,) entries that is `share` of them at most."""
    long = (torch.rand(len(whole), device=whole.device) * (share * whole + 1)).floor()
    start = (torch.rand(len(whole), device=whole.device) * (whole - long + 1)).floor()
    place = torch.arange(size, device=whole.device)
    return (place >= start.unsqueeze(1)) & (place < (start + long).unsqueeze(1))
