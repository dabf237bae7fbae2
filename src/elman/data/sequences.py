"""Batches of sequences that each have an answer, or one at every step.

Key: N sequences, T steps, B batch, F features.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from elman.data.batch import TensorBatch
from elman.data.rows_by_length import RowsByLength
from elman.data.windows import IGNORE
from elman.errors import DataError


@dataclass(frozen=True)
class SequenceBatch(TensorBatch):
    """What a network reads, and what it should say."""

    inputs: Tensor
    """(T, B) numbers of units, or (T, B, F)."""
    lengths: Tensor
    """(B,)."""
    targets: Tensor
    """(B, ...), or (T, B) with `IGNORE` past each row's length."""
    rows: tuple[int, ...] = ()
    """Which sequences these are."""
    fresh: bool = True
    """Nothing is carried from one batch to the next."""


class SequenceBatches:
    """Sequences in batches of similar length; each epoch mixes those of the same length anew, and the batches.

    Args:
        sequences: Each (T,) of whole numbers, or (T, F).
        targets: Of each, () or any other shape; (T,) with `per_step`.
        batch_size: Sequences in a batch at most.
        units: Steps of a batch at most, padding included; a longer sequence has a batch of its own.
        per_step: There is a target for every step.
        prepare: What becomes of a sequence when it is read.
        vary: By its number and that of the epoch, how a sequence is in training; always as given when omitted.
        name: What to call the sequences in an error.

    Raises:
        DataError: There is no sequence.

    Example:
        >>> batches = SequenceBatches([torch.tensor([4, 5]), torch.tensor([6])], torch.tensor([1, 0]), 2)
        >>> batches.batch(0).inputs.T.tolist(), batches.batch(0).targets.tolist()
        ([[4, 5], [6, 0]], [1, 0])
    """

    def __init__(
        self,
        sequences: Sequence[Tensor],
        targets: Sequence[Tensor] | Tensor,
        batch_size: int | None = None,
        *,
        units: int | None = None,
        per_step: bool = False,
        prepare: Callable[[Tensor], Tensor] | None = None,
        vary: Callable[[int, int], Tensor] | None = None,
        name: str = "the examples",
    ) -> None:
        if not len(sequences):
            raise DataError(f"{name} have nothing to read; expected one sequence or more")
        self.sequences, self.targets, self.per_step = sequences, targets, per_step
        self.prepare, self.vary = prepare or (lambda sequence: sequence), vary
        lengths = torch.tensor([len(one) for one in sequences])
        self.rows = RowsByLength(lengths, units, rows=batch_size)

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, position: int) -> SequenceBatch:
        """The batch at a position of an endless reading, epoch after epoch."""
        return self.of(*self.rows.at(position))

    def of(self, rows: Sequence[int], epoch: int | None = None) -> SequenceBatch:
        """A batch of some sequences; as they are in an epoch, if it is given."""
        inputs, lengths = padded([self.prepare(self._sequence(row, epoch)) for row in rows])
        targets = [self.targets[row] for row in rows]
        together = pad_sequence(targets, padding_value=IGNORE) if self.per_step else torch.stack(targets)
        return SequenceBatch(inputs, lengths, together, tuple(rows))

    def _sequence(self, row: int, epoch: int | None) -> Tensor:
        return self.sequences[row] if epoch is None or self.vary is None else self.vary(row, epoch)

    def __iter__(self) -> Iterator[SequenceBatch]:
        return (self.of(rows) for rows in self.rows)


def padded(sequences: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Sequences (T, ...) side by side, (T, B, ...), with zeros behind the shorter ones; and their lengths (B,)."""
    return pad_sequence(list(sequences)), torch.tensor([len(one) for one in sequences])
