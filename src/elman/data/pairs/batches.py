"""Pairs of sequences in batches of similar length and of about one number of units.

Key: S source time, T target time, B batch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from elman.data.batch import TensorBatch
from elman.data.rows_by_length import RowsByLength
from elman.data.units.dropout import UnitDropout
from elman.data.windows import IGNORE
from elman.errors import DataError


@dataclass(frozen=True)
class PairBatch(TensorBatch):
    """What a network reads, and what it should write."""

    source: Tensor
    """(S, B)."""
    source_lengths: Tensor
    """(B,)."""
    inputs: Tensor
    """(T, B), the unit before each target; the border at first."""
    targets: Tensor
    """(T, B), the border at last; `IGNORE` where there is none."""
    target_lengths: Tensor
    """(B,)."""
    references: tuple[str, ...] = ()
    """What the targets were before they became units."""
    sources: tuple[str, ...] = ()
    """The same of the sources."""
    rows: tuple[int, ...] = ()
    """Which pairs these are."""
    fresh: bool = True
    """Nothing is carried from one batch to the next."""


@dataclass(frozen=True)
class NumberedPairs:
    """Pairs as numbers of units, next to their texts."""

    sources: Sequence[Tensor]
    targets: Sequence[Tensor]
    source_texts: Sequence[str]
    target_texts: Sequence[str]

    def __len__(self) -> int:
        return len(self.sources)

    def without(self, rows: Sequence[int]) -> "NumberedPairs":
        """All pairs but some."""
        left_out = set(rows)
        kept = [row for row in range(len(self)) if row not in left_out]
        return NumberedPairs(
            [self.sources[row] for row in kept],
            [self.targets[row] for row in kept],
            [self.source_texts[row] for row in kept],
            [self.target_texts[row] for row in kept],
        )

    def lengths(self) -> Tensor:
        """(N,), the longer side of each pair, with its border."""
        return torch.tensor([max(len(a), len(b)) + 1 for a, b in zip(self.sources, self.targets, strict=True)])


class PairBatches:
    """Pairs in batches; each epoch mixes pairs of the same length anew, and the batches.

    Args:
        pairs: What is read and written.
        borders: The number that stands after each source; and that before and after each target.
        units: Of a batch, padding included, on the longer side; a longer pair has a batch of its own.
        name: What to call the pairs in an error.
        varied: What encodes sources and targets anew at every reading, in other pieces each time.

    Raises:
        DataError: There is no pair.
    """

    def __init__(
        self,
        pairs: NumberedPairs,
        borders: tuple[int, int],
        units: int,
        name: str = "the pairs",
        varied: tuple[UnitDropout, UnitDropout] | None = None,
    ) -> None:
        if not len(pairs):
            raise DataError(f"{name} has no pair of texts; expected one or more")
        self.pairs, self.varied = pairs, varied
        self.source_border, self.target_border = (torch.tensor([border]) for border in borders)
        self.rows = RowsByLength(pairs.lengths(), units)

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, position: int) -> PairBatch:
        """The batch at a position of an endless reading, epoch after epoch."""
        return self.of(*self.rows.at(position))

    def of(self, rows: Sequence[int], epoch: int | None = None) -> PairBatch:
        """A batch of some pairs, varied if there is an epoch."""
        read = [self._pair(row, epoch) for row in rows]
        source, source_lengths = padded_sources([source for source, _ in read], int(self.source_border))
        targets, border = [target for _, target in read], self.target_border
        return PairBatch(
            source=source,
            source_lengths=source_lengths,
            inputs=pad_sequence([torch.cat([border, one]) for one in targets], padding_value=int(border)),
            targets=pad_sequence([torch.cat([one, border]) for one in targets], padding_value=IGNORE),
            target_lengths=torch.tensor([len(one) + 1 for one in targets]),
            references=tuple(self.pairs.target_texts[row] for row in rows),
            sources=tuple(self.pairs.source_texts[row] for row in rows),
            rows=tuple(rows),
        )

    def __iter__(self) -> Iterator[PairBatch]:
        return (self.of(rows) for rows in self.rows)

    def _pair(self, row: int, epoch: int | None) -> tuple[Tensor, Tensor]:
        pair = self.pairs.sources[row], self.pairs.targets[row]
        if self.varied is None or epoch is None:
            return pair
        random = Random(f"{epoch} {row}")
        texts = self.pairs.source_texts[row], self.pairs.target_texts[row]
        source, target = (each.encode(text, random) for each, text in zip(self.varied, texts, strict=True))
        return source, target


def padded_sources(sources: Sequence[Tensor], border: int) -> tuple[Tensor, Tensor]:
    """Sources, each (N,), with their ends as (S, B), and their lengths (B,).

    >>> padded_sources([torch.tensor([5, 6]), torch.tensor([7])], 0)[0].T.tolist()
    [[5, 6, 0], [7, 0, 0]]
    """
    ended = [torch.cat([one, torch.tensor([border])]) for one in sources]
    return pad_sequence(ended, padding_value=border), torch.tensor([len(one) for one in ended])
