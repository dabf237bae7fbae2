"""What is measured on: shapes, the same random batch for all, and how much work a step is.

Key: T time, B batch, I input size, H hidden size.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Shape:
    """Sizes of one measurement."""

    time: int
    batch: int
    inputs: int
    hidden: int

    def __str__(self) -> str:
        return f"{self.time},{self.batch},{self.hidden}"


def square(time: int, batch: int, width: int) -> Shape:
    """A shape with I = H, as the issue lists them."""
    return Shape(time, batch, width, width)


SHAPES = [
    square(100, 1, 128),
    square(100, 1, 512),
    square(100, 16, 128),
    square(100, 32, 256),
    square(100, 64, 512),
    square(50, 64, 1024),
    square(512, 64, 64),
    square(35, 20, 640),
    square(1000, 25, 320),
]
QUICK_SHAPES = [square(100, 1, 128), square(100, 16, 128), square(35, 32, 256)]
ODD = Shape(13, 5, 19, 37)
"""Small, and no multiple of anything: here every kernel is checked before it is checked at the measured shape."""


@dataclass(frozen=True)
class Batch:
    """The input (T, B, I), the gradient of the loss with respect to the output (T, B, H), and how long rows are."""

    x: Tensor
    cotangent: Tensor
    lengths: Tensor | None

    def double(self) -> "Batch":
        """The same numbers in f64."""
        x = self.x.detach().double().requires_grad_()
        return replace(self, x=x, cotangent=self.cotangent.double())

    def steps(self) -> int:
        """How many steps all rows have together; padding is no work."""
        time, rows, _ = self.x.shape
        return time * rows if self.lengths is None else int(self.lengths.sum())


def make_batch(shape: Shape, *, padded: bool = False) -> Batch:
    """Random numbers that are the same in every run."""
    seed = torch.Generator().manual_seed(1)
    x = torch.randn(shape.time, shape.batch, shape.inputs, generator=seed).requires_grad_()
    cotangent = torch.randn(shape.time, shape.batch, shape.hidden, generator=seed)
    return Batch(x, cotangent, _lengths(shape, seed) if padded else None)


def _lengths(shape: Shape, seed: torch.Generator) -> Tensor:
    """Uniform from 1 to T, so about half of it in the mean; one row is as long as the input, in the middle."""
    lengths = torch.randint(1, shape.time + 1, (shape.batch,), generator=seed)
    lengths[shape.batch // 2] = shape.time
    return lengths


def step_flops(module: nn.Module) -> int:
    """Floating-point operations of one row's step: two for each number of a weight matrix."""
    return 2 * sum(parameter.numel() for parameter in module.parameters() if parameter.dim() == 2)
