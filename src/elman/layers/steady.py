"""Products whose rows do not notice each other.

Key: N rows, I input size, O output size.
"""

from torch import Tensor
from torch.nn import functional as F

ROWS = 8
"""A few rows left over go another way through the libraries of a machine, and come out with other last bits."""


def steady_linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """(N, I) and weights (O, I) -> (N, O); what comes of a row is the same, bit for bit, whatever rows are beside it.

    >>> import torch
    >>> x, weight = torch.randn(100, 64), torch.randn(30, 64)
    >>> bool((steady_linear(x, weight)[7] == steady_linear(x[7:8], weight)[0]).all())
    True
    """
    return F.linear(F.pad(x, (0, 0, 0, -len(x) % ROWS)), weight, bias)[: len(x)]
