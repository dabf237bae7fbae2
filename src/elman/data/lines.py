"""Many short sequences of unequal length, in batches of similar ones; what is too long is cut, and counted.

Key: N numbers in a sequence, T steps of the longest in a batch, B rows.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from elman.data.windows import IGNORE, Window
from elman.errors import DataError


def cut_to(sequences: Sequence[Tensor], longest: int | None, side: Literal["start", "end"]) -> tuple[list[Tensor], int]:
    """Sequences that are no longer than `longest`, and how many numbers were cut away.

    Args:
        sequences: Each (N,).
        longest: Numbers that stay at most; None leaves all.
        side: Where a sequence loses what is too much.

    Example:
        >>> cut_to([torch.arange(5), torch.arange(2)], 3, "start")
        ([tensor([2, 3, 4]), tensor([0, 1])], 2)
    """
    if longest is None:
        return list(sequences), 0
    kept = [one[:longest] if side == "end" else one[max(0, len(one) - longest) :] for one in sequences]
    return kept, sum(map(len, sequences)) - sum(map(len, kept))


class Lines:
    """Sequences that each start without memory; a batch holds sequences of similar length, padded at the end.

    Padding is never learned from: its targets do not count. Each epoch has its own order, always the same one.

    Args:
        sequences: Each (N,), at least one number.
        border: The number that stands before each first and after each last one.
        rows: B.
        name: What to call the sequences in an error.

    Raises:
        DataError: There is no sequence.

    Example:
        >>> lines = Lines([torch.tensor([5, 6]), torch.tensor([7])], border=0, rows=2)
        >>> lines.batch(0).inputs.T.tolist(), lines.batch(0).targets.T.tolist()
        ([[0, 7, 0], [0, 5, 6]], [[7, 0, -100], [5, 6, 0]])
    """

    def __init__(self, sequences: Sequence[Tensor], border: int, rows: int, name: str = "the text") -> None:
        if not sequences:
            raise DataError(f"{name} has no line with text; expected one example a line")
        end = torch.tensor([border])
        ordered = sorted(sequences, key=len)
        self.border = border
        self.sequences = [torch.cat([end, one, end]) for one in ordered]
        self.rows = rows

    def __len__(self) -> int:
        return -(-len(self.sequences) // self.rows)

    def batch(self, position: int) -> Window:
        """The batch at a position of an endless reading, epoch after epoch."""
        epoch, number = divmod(position, len(self))
        order = torch.randperm(len(self), generator=torch.Generator().manual_seed(epoch))
        return self._batch(int(order[number]))

    def _batch(self, number: int) -> Window:
        sequences = self.sequences[number * self.rows : (number + 1) * self.rows]
        inputs = pad_sequence([one[:-1] for one in sequences], padding_value=self.border)
        targets = pad_sequence([one[1:] for one in sequences], padding_value=IGNORE)
        return Window(inputs, targets, fresh=True)

    def __iter__(self) -> Iterator[Window]:
        return (self._batch(number) for number in range(len(self)))
