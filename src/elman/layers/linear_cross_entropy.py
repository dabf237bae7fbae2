"""The loss over a large vocabulary, without ever holding the scores of all steps.

An output layer and the cross-entropy behind it, forward and backward in one sweep over blocks of rows: a block's scores
turn into their gradient where they stand, and are gone before the next block.

Key: N rows, F features, V vocabulary.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from elman.engine import autocast_dtype
from elman.errors import ShapeError

ROWS = 1024
"""Of a block: enough for matrix products at full speed; at 10,000 words 40 MB of scores."""


def linear_cross_entropy(
    x: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, *, smoothing: float = 0.0, ignore: int = -100
) -> Tensor:
    """Mean cross-entropy of `x @ weight.T + bias` in nats; the same number as of torch's two functions in a row.

    Args:
        x: (..., F).
        weight: (V, F).
        bias: (V,).
        targets: (...), the right class of each row.
        smoothing: Share of the target that is spread over all classes (Szegedy et al. 2016).
        ignore: The target of rows that do not count.

    Raises:
        ShapeError: The tensors do not fit each other.

    Example:
        >>> x, weight, bias = torch.zeros(3, 2), torch.zeros(4, 2), torch.zeros(4)
        >>> round(float(linear_cross_entropy(x, weight, bias, torch.tensor([0, 3, 1]))), 4)  # log 4
        1.3863
    """
    if x.dim() < 2 or weight.shape != (len(bias), x.shape[-1]) or targets.shape != x.shape[:-1]:
        raise ShapeError(
            f"expected x (..., F), weight (V, F), bias (V,) and targets (...); received {tuple(x.shape)}, "
            f"{tuple(weight.shape)}, {tuple(bias.shape)} and {tuple(targets.shape)}"
        )
    x, targets = x.flatten(0, -2), targets.flatten()
    counts = targets != ignore
    if not counts.all():
        x, targets = x[counts], targets[counts]
    small = None if x.dtype == torch.float64 else autocast_dtype(x)
    dtype = small or x.dtype  # of products; under autocast its own, as torch's linear has it
    if torch.is_grad_enabled():
        return _LinearCrossEntropy.apply(x, weight, bias, targets, smoothing, dtype)  # pyright: ignore[reportReturnType]
    total, weight, bias = weight.new_zeros(()), weight.to(dtype), bias.to(dtype)
    for part, its in zip(x.split(ROWS), targets.split(ROWS), strict=True):
        total += _softmax(_scores(part.to(dtype), weight, bias), its, smoothing)[0].sum()
    return total / len(x)


class _LinearCrossEntropy(Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, smoothing: float, dtype: torch.dtype
    ) -> Tensor:
        total = weight.new_zeros(())
        dx, dweight, dbias = torch.empty_like(x), torch.zeros_like(weight), torch.zeros_like(bias)
        weight, bias = weight.to(dtype), bias.to(dtype)
        for part, its, dpart in zip(x.to(dtype).split(ROWS), targets.split(ROWS), dx.split(ROWS), strict=True):
            losses, probabilities = _softmax(_scores(part, weight, bias), its, smoothing)
            total += losses.sum()
            dscores = _into_gradient(probabilities, its, smoothing, len(x))
            dbias += dscores.sum(0)
            dscores = dscores.to(dtype)
            dpart.copy_(dscores @ weight)
            dweight += dscores.t() @ part
        ctx.save_for_backward(dx, dweight, dbias)
        return total / len(x)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        found = ctx.saved_tensors
        (gradient,) = gradients
        if float(gradient) != 1:
            found = [each * gradient for each in found]
        return *found, None, None, None


def _scores(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    scores = torch.addmm(bias, x, weight.t())
    return scores if x.dtype == torch.float64 else scores.float()


def softmax_in_place(scores: Tensor, best: Tensor | None = None) -> Tensor:
    """Turn scores (N, V) into probabilities where they stand.

    What a row's exponentials add up to follows from its largest score and what became of that, which is never small:
    two sweeps fewer than `logsumexp` and `exp`.

    Args:
        scores: What is used up.
        best: Places (N, 1) of the largest scores, where they are known.

    Returns:
        The logarithm of that sum, (N, 1).
    """
    largest = scores.amax(1, keepdim=True) if best is None else scores.gather(1, best)
    torch.softmax(scores, 1, out=scores)
    return largest - (scores.amax(1, keepdim=True) if best is None else scores.gather(1, best)).log()


def _softmax(scores: Tensor, targets: Tensor, smoothing: float) -> tuple[Tensor, Tensor]:
    """Losses (N,), and probabilities in the memory of the scores."""
    right = scores.gather(1, targets.unsqueeze(1))
    wanted = right * (1 - smoothing) + scores.mean(1, keepdim=True) * smoothing if smoothing else right
    return (softmax_in_place(scores) - wanted).squeeze(1), scores


def _into_gradient(probabilities: Tensor, targets: Tensor, smoothing: float, rows: int) -> Tensor:
    """(probability - target) / rows, in the same memory."""
    if smoothing:
        probabilities.sub_(smoothing / probabilities.shape[1])
    right = targets.unsqueeze(1)
    probabilities.scatter_(1, right, probabilities.gather(1, right) - (1 - smoothing))
    return probabilities.div_(rows)
