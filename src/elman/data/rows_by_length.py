"""Which sequences go into a batch together: those of similar length, mixed anew each epoch."""

from collections.abc import Iterator, Sequence
from math import inf

import torch
from torch import Tensor


class RowsByLength:
    """Numbers of sequences, a list for each batch.

    Args:
        lengths: (N,).
        units: Of a batch, padding included; a longer sequence has a batch of its own. As many as come when omitted.
        rows: Sequences of a batch at most.

    Example:
        >>> list(RowsByLength(torch.tensor([3, 9, 4]), 10))
        [[1], [2, 0]]
    """

    def __init__(self, lengths: Tensor, units: int | None = None, rows: int | None = None) -> None:
        self.lengths = lengths
        self.ends = ends_of(lengths.sort(descending=True).values.tolist(), units or inf, rows or inf)

    def __len__(self) -> int:
        return len(self.ends)

    def at(self, position: int) -> tuple[list[int], int]:
        """The batch at a position of an endless reading, epoch after epoch; and which epoch it is."""
        epoch, number = divmod(position, len(self))
        sequences, batches = self._epoch(epoch)
        return self._rows(sequences, int(batches[number])), epoch

    def __iter__(self) -> Iterator[list[int]]:
        order = self.lengths.argsort(descending=True, stable=True)
        return (self._rows(order, number) for number in range(len(self)))

    def _epoch(self, epoch: int) -> tuple[Tensor, Tensor]:
        """The order of sequences, longest first and those of one length shuffled; and that of batches."""
        if getattr(self, "_known", (None,))[0] != epoch:
            generator = torch.Generator().manual_seed(epoch)
            mixed = torch.randperm(len(self.lengths), generator=generator)
            sequences = mixed[self.lengths[mixed].argsort(descending=True, stable=True)]
            self._known = (epoch, sequences, torch.randperm(len(self), generator=generator))
        return self._known[1:]  # pyright: ignore[reportReturnType]

    def _rows(self, sequences: Tensor, batch: int) -> list[int]:
        return sequences[self.ends[batch - 1] if batch else 0 : self.ends[batch]].tolist()


def ends_of(lengths: Sequence[int], units: float, rows: float = inf) -> list[int]:
    """Where batches end among sequences, the longest first, so that each has at most so many units with its padding.

    A sequence that is longer has a batch of its own; and a batch has at most so many rows.

    >>> ends_of([9, 4, 3], 10), ends_of([1, 1, 1], 10, rows=2)
    ([1, 3], [2, 3])
    """
    first, ends = 0, []
    for place in range(1, len(lengths)):
        if (place - first + 1) * lengths[first] > units or place - first + 1 > rows:
            ends.append(place)
            first = place
    return [*ends, len(lengths)] if lengths else []
