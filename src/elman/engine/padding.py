"""Steps past a row's own length: padding, which must reach no output, no state and no gradient.

Key: T time, B batch.
"""

import torch
from torch import Tensor


def within(lengths: Tensor, time: int) -> Tensor:
    """(B,) -> (T, B), true at the steps that count."""
    return torch.arange(time, device=lengths.device).unsqueeze(1) < lengths


def without_padding(x: Tensor, lengths: Tensor | None) -> Tensor:
    """x (T, B, ...) with zeros past each row's length, so that what stands there, even a NaN, goes no further."""
    if lengths is None:
        return x
    padding = ~within(lengths, len(x)).to(x.device)
    return x.masked_fill(padding.view(*padding.shape, *[1] * (x.dim() - 2)), 0)
