"""v·tanh(q + k) for all pairs of queries and keys, without a tanh for each pair.

e^2(q + k) is e^2q e^2k, and tanh(x) = 1 - 2 / (e^2x + 1): what costs is done once for each query and each key, and a
pair takes a product and a quotient. Half the time of the plain formula, forward and backward.

Key: B batch, T queries, S keys, A features.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

LIMIT = 43.0
"""Larger numbers are cut, where e^2x would leave f32."""


def additive_energies(query: Tensor, keys: Tensor, weight: Tensor) -> Tensor:
    """Σ_a v_a tanh(q_ta + k_sa).

    Args:
        query: (B, T, A).
        keys: (B, S, A).
        weight: v (A).

    Returns:
        (B, T, S).

    Example:
        >>> query, keys, weight = torch.randn(2, 3, 4), torch.randn(2, 5, 4), torch.randn(4)
        >>> expected = torch.tanh(query.unsqueeze(2) + keys.unsqueeze(1)) @ weight
        >>> torch.allclose(additive_energies(query, keys, weight), expected, atol=1e-5)
        True
    """
    return _AdditiveEnergies.apply(query, keys, weight)  # pyright: ignore[reportReturnType]


class _AdditiveEnergies(Function):
    @staticmethod
    def forward(ctx: Any, query: Tensor, keys: Tensor, weight: Tensor) -> Tensor:
        q, k = (torch.exp(2 * each.clamp(-LIMIT, LIMIT)) for each in (query, keys))
        rest = (q.unsqueeze(2) * k.unsqueeze(1)).add_(1).reciprocal_()  # tanh = 1 - 2 rest
        ctx.save_for_backward(rest, weight)
        return weight.sum() - 2 * (rest @ weight)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        rest, weight = ctx.saved_tensors
        (gradient,) = gradients
        dweight = gradient.sum() - 2 * (gradient.flatten() @ rest.flatten(0, 2))
        slopes = torch.addcmul(rest, rest, rest, value=-1).mul_(gradient.unsqueeze(3))  # tanh' = 4 rest (1 - rest)
        return slopes.sum(2) * (4 * weight), slopes.sum(1) * (4 * weight), dweight
