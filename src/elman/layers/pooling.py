"""A sequence as one vector.

Key: T time, B batch, H width of a step.
"""

from typing import Any, Literal

import torch
from torch import Tensor, nn

from elman.engine import within
from elman.errors import check_option
from elman.layers.attention import AttentionPooling
from elman.layers.door import last_outputs

PoolingName = Literal["last", "mean", "max", "concat", "attention"]


class Pooling(nn.Module):
    """What the steps of each sequence come to.

    Args:
        name: The "last" step that each direction takes; the "mean" or "max" of all steps, feature by feature; "concat",
            these three side by side (Howard and Ruder 2018); or "attention", the mean by how much each step tells.
        size: H.
        directions: 2 where both directions' outputs stand side by side in H.

    Shapes: steps (T, B, H) and lengths (B,), at least 1, give (B, `output_size`).

    Example:
        >>> pooling = Pooling("max", 4)
        >>> pooling(torch.ones(3, 2, 4), torch.tensor([3, 1])).shape
        torch.Size([2, 4])
    """

    def __init__(self, name: PoolingName, size: int, directions: int = 1) -> None:
        super().__init__()
        check_option("pooling", name, ("last", "mean", "max", "concat", "attention"))
        self.name, self.directions = name, directions
        self.attention = AttentionPooling(size) if name == "attention" else None
        self.output_size = 3 * size if name == "concat" else size

    def forward(self, steps: Tensor, lengths: Tensor) -> Tensor:
        if self.attention is not None:
            return self.attention(steps, lengths)
        names = ("last", "max", "mean") if self.name == "concat" else (self.name,)
        return torch.cat([self._one(name, steps, lengths) for name in names], dim=1)

    def _one(self, name: str, steps: Tensor, lengths: Tensor) -> Tensor:
        if name == "last":
            return last_outputs(steps, lengths, self.directions)
        quiet = torch.is_inference_mode_enabled() and steps.device.type == "cpu"
        if name == "max" and quiet and bool((lengths > 0).all()):
            return _largest_of_rows(steps, lengths)
        if len(lengths) and int(lengths.min()) < len(steps):
            inside = within(lengths, len(steps)).unsqueeze(2)
            steps = torch.where(inside, steps, float("-inf") if name == "max" else 0.0)
        return _Largest.apply(steps) if name == "max" else steps.sum(0) / lengths.unsqueeze(1)

    def extra_repr(self) -> str:
        return self.name


def _largest_of_rows(steps: Tensor, lengths: Tensor) -> Tensor:
    """The largest over the steps of each row (T, B, H) -> (B, H), with no look at what is behind its end."""
    found = steps.new_empty(steps.shape[1:])
    for row, length in enumerate(lengths.tolist()):
        torch.amax(steps[:length, row], 0, out=found[row])
    return found


class _Largest(torch.autograd.Function):
    """The largest over time, (T, B, H) -> (B, H); steps that share it share its gradient.

    `Tensor.amax` says the same; its gradient counts in 64 bits and takes five times as long.
    """

    @staticmethod
    def forward(steps: Tensor) -> Tensor:
        return steps.amax(0)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs, output)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        steps, largest = ctx.saved_tensors
        hits = torch.eq(steps.detach(), largest.detach(), out=torch.empty_like(steps))
        shares = gradient / hits.sum(0)
        return hits * shares if torch.is_grad_enabled() else hits.mul_(shares)
