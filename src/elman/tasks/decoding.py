"""Choosing the next unit from a model's scores."""

import torch
from torch import Tensor

from elman.errors import OptionError


def sample(
    scores: Tensor,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Draw one unit for each row.

    Args:
        scores: (B, V), logarithms of probabilities up to a constant.
        temperature: Below 1 plays safe, above 1 dares more; 0 takes the best.
        top_k: Only the k best units can come (Fan et al. 2018).
        top_p: Only the fewest units whose probabilities reach p can come (Holtzman et al. 2020).
        generator: Where randomness comes from.

    Returns:
        (B,) unit numbers.

    Raises:
        OptionError: A setting is outside its range.
    """
    check_sampling(temperature, top_k, top_p)
    if temperature == 0:
        return scores.argmax(dim=-1)
    scores = scores / temperature
    if top_k is not None:
        worst = scores.topk(min(top_k, scores.shape[-1])).values[..., -1:]
        scores = scores.masked_fill(scores < worst, -torch.inf)
    if top_p is not None:
        scores = _nucleus(scores, top_p)
    return torch.multinomial(scores.softmax(dim=-1), 1, generator=generator).squeeze(-1)


def check_sampling(temperature: float, top_k: int | None, top_p: float | None) -> None:
    """Raise OptionError where a setting is outside its range."""
    if not 0 <= temperature < float("inf"):
        raise OptionError(f"temperature expects a number from 0; received {temperature}; try 0.8")
    if top_k is not None and top_k < 1:
        raise OptionError(f"top_k expects a whole number from 1; received {top_k}; try 40")
    if top_p is not None and not 0 < top_p <= 1:
        raise OptionError(f"top_p expects a share above 0 and up to 1; received {top_p}; try 0.9")


def _nucleus(scores: Tensor, top_p: float) -> Tensor:
    """Keep a unit if the better ones do not reach p without it."""
    ordered, order = scores.sort(dim=-1, descending=True)
    probabilities = ordered.softmax(dim=-1)
    reached = probabilities.cumsum(dim=-1) - probabilities >= top_p
    return scores.masked_fill(reached.scatter(-1, order, reached), -torch.inf)
