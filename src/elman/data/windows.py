"""One long sequence of numbers, cut so that a network can read it with carried state.

Key: N numbers in all, B rows, W steps in a window.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from elman.data.batch import TensorBatch
from elman.errors import DataError

IGNORE = -100
"""The target of a step that does not count, as in torch's cross-entropy."""


@dataclass(frozen=True)
class Window(TensorBatch):
    """What a network reads at once, and what it should say."""

    inputs: Tensor
    """(W, B)."""
    targets: Tensor
    """(W, B), the input one step later; `IGNORE` where there is none."""
    fresh: bool
    """Does reading start here, from the initial state?"""


class Windows:
    """A long sequence as B contiguous rows, read window by window; each row goes on where it stopped.

    Args:
        numbers: (N,).
        rows: B.
        width: W; the last window may be shorter.
        keep_all: Pad the last row so that every number is predicted once; without it the last N mod B are left out.
        name: What to call the numbers in an error.

    Raises:
        DataError: There are not enough numbers for one window in each row.

    Example:
        >>> first, second = Windows(torch.arange(11), rows=2, width=3)
        >>> first.inputs.T.tolist(), second.targets.T.tolist()
        ([[0, 1, 2], [5, 6, 7]], [[4, 5], [9, 10]])
    """

    def __init__(
        self, numbers: Tensor, rows: int, width: int, *, keep_all: bool = False, name: str = "the text"
    ) -> None:
        steps = len(numbers) - 1
        if keep_all and steps < 1:
            raise DataError(f"{name} expects 2 units or more, one to read and one to predict; received {len(numbers)}")
        if not keep_all and steps < rows * width:
            raise DataError(
                f"{name} is shorter than one window: expected {rows} rows x {width} steps + 1 = {rows * width + 1:,} "
                f"units; received {len(numbers):,}; give more text, or a smaller --batch-size or --window"
            )
        rows = min(rows, steps)
        per_row = -(-steps // rows) if keep_all else steps // rows
        inputs, targets = numbers[:-1], numbers[1:]
        padding = per_row * rows - steps
        if padding > 0:
            inputs = torch.cat([inputs, inputs.new_zeros(padding)])
            targets = torch.cat([targets, targets.new_full((padding,), IGNORE)])
        self.inputs = inputs[: per_row * rows].view(rows, per_row).T.contiguous()
        self.targets = targets[: per_row * rows].view(rows, per_row).T.contiguous()
        self.width = width

    def __len__(self) -> int:
        return -(-len(self.inputs) // self.width)

    def batch(self, position: int) -> Window:
        """The window at a position of an endless reading, epoch after epoch."""
        number = position % len(self)
        steps = slice(number * self.width, (number + 1) * self.width)
        return Window(self.inputs[steps], self.targets[steps], fresh=number == 0)

    def __iter__(self) -> Iterator[Window]:
        return (self.batch(number) for number in range(len(self)))
