"""Every pair comes once an epoch, next to pairs of its length, in the same order whenever asked."""

import pytest
import torch

from elman.data import IGNORE, NumberedPairs, PairBatches
from elman.errors import DataError


def make(count: int = 50, units: int = 40) -> PairBatches:
    generator = torch.Generator().manual_seed(1)
    lengths = torch.randint(1, 9, (count, 2), generator=generator).tolist()
    sources = [torch.full((a,), number + 1) for number, (a, _) in enumerate(lengths)]
    targets = [torch.full((b,), number + 1) for number, (_, b) in enumerate(lengths)]
    names = [str(number) for number in range(count)]
    return PairBatches(NumberedPairs(sources, targets, names, names), (0, 0), units)


def test_an_epoch_has_every_pair_once_within_the_number_of_units():
    batches = make()
    for epoch in range(2):
        found = [batches.batch(epoch * len(batches) + n) for n in range(len(batches))]
        assert sorted(row for batch in found for row in batch.rows) == list(range(50))
        assert all(max(batch.source.numel(), batch.inputs.numel()) <= 40 for batch in found)


def test_epochs_differ_and_come_again():
    batches = make()
    first, second = (batches.batch(n * len(batches)).rows for n in range(2))
    assert first != second
    assert make().batch(0).rows == first
    assert batches.batch(0).rows == first  # going back


def test_a_batch_is_bordered_and_padded():
    sources, targets = [torch.tensor([5]), torch.tensor([6, 7])], [torch.tensor([8, 9]), torch.tensor([4])]
    pairs = NumberedPairs(sources, targets, "ab", "cd")
    batch = PairBatches(pairs, (3, 0), 100).of([0, 1])
    assert batch.source.T.tolist() == [[5, 3, 3], [6, 7, 3]]
    assert batch.source_lengths.tolist() == [2, 3]
    assert batch.inputs.T.tolist() == [[0, 8, 9], [0, 4, 0]]
    assert batch.targets.T.tolist() == [[8, 9, 0], [4, 0, IGNORE]]
    assert batch.target_lengths.tolist() == [3, 2]
    assert (batch.sources, batch.references) == (("a", "b"), ("c", "d"))


def test_a_pair_longer_than_a_batch_is_a_batch_of_its_own():
    batches = make(units=3)
    assert len(batches) >= 40
    assert max(len(batch.rows) for batch in batches) == 1


def test_no_pairs_is_an_error():
    with pytest.raises(DataError, match="has no pair"):
        PairBatches(NumberedPairs([], [], [], []), (0, 0), 10, "the file")
