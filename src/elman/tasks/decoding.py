"""Choosing the next unit from a model's scores."""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from elman.errors import RunError
from elman.tasks.options import Count, Options

TINY = 1e-6
"""Below this temperature nothing but the best unit has a chance."""


class Sampling(Options):
    """How the next unit is drawn."""

    temperature: Annotated[float, Field(ge=0)] = 0.8
    """Below 1 plays safe, above 1 dares more, 0 takes the best."""
    top_k: Count | None = None
    """Only the k best units can come (Fan et al. 2018)."""
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    """Only the fewest units whose probabilities reach p can come (Holtzman et al. 2020)."""


def sample(scores: Tensor, sampling: Sampling, generator: torch.Generator | None = None) -> Tensor:
    """Draw one unit for each row.

    Args:
        scores: (B, V), logarithms of probabilities up to a constant.
        sampling: How to draw.
        generator: Where randomness comes from.

    Returns:
        (B,) unit numbers.

    Raises:
        RunError: A score is not a number.

    Example:
        >>> sample(torch.tensor([[0.1, 3.0, 0.2]]), Sampling(top_k=1))
        tensor([1])
    """
    if scores.isnan().any():
        raise RunError("the model's scores are not numbers: its weights are damaged or diverged; train again")
    if sampling.temperature < TINY:
        return scores.argmax(dim=-1)
    scores = scores / sampling.temperature
    if sampling.top_k is not None:
        best = scores.topk(min(sampling.top_k, scores.shape[-1])).indices
        scores = torch.full_like(scores, -torch.inf).scatter(-1, best, scores.gather(-1, best))
    if sampling.top_p is not None:
        scores = _nucleus(scores, sampling.top_p)
    return torch.multinomial(scores.softmax(dim=-1), 1, generator=generator).squeeze(-1)


def _nucleus(scores: Tensor, top_p: float) -> Tensor:
    """Keep a unit if the better ones do not reach p without it."""
    ordered, order = scores.sort(dim=-1, descending=True)
    probabilities = ordered.softmax(dim=-1)
    reached = probabilities.cumsum(dim=-1) - probabilities >= top_p
    return scores.masked_fill(reached.scatter(-1, order, reached), -torch.inf)
