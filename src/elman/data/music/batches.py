"""Pieces of music in batches.

Key: T steps, B pieces, P keys.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from elman.data.sequences import SequenceBatch, SequenceBatches


class PieceBatches(SequenceBatches):
    """Pieces of similar length side by side, in training each moved by some semitones, every epoch anew.

    Args:
        pieces: Each (T, P).
        batch_size: B at most.
        transpose: Semitones that a piece is moved at most, as far as its keys are there.
    """

    def __init__(self, pieces: Sequence[Tensor], batch_size: int, transpose: int = 0) -> None:
        super().__init__(pieces, pieces, batch_size, per_step=True, name="the pieces")
        self.transpose = transpose

    def batch(self, position: int) -> SequenceBatch:
        rows, epoch = self.rows.at(position)
        if not self.transpose:
            return self.of(rows)
        moved = [transposed(self.sequences[row], self._semitones(epoch, row)) for row in rows]
        return PieceBatches(moved, len(moved)).of(range(len(moved)))

    def _semitones(self, epoch: int, row: int) -> int:
        """The same whenever asked."""
        generator = torch.Generator().manual_seed(epoch * len(self.sequences) + row)
        return int(torch.randint(-self.transpose, self.transpose + 1, (1,), generator=generator))


def transposed(piece: Tensor, semitones: int) -> Tensor:
    """A piece (T, P), moved as far as its lowest and highest notes allow.

    >>> transposed(torch.tensor([[0, 1, 0, 0]]), 9).tolist()
    [[0, 0, 0, 1]]
    """
    used = piece.any(0).nonzero().flatten()
    if not len(used):
        return piece
    return piece.roll(max(-int(used[0]), min(semitones, piece.shape[1] - 1 - int(used[-1]))), 1)
