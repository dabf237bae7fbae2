"""Stretches of time and of features read as zeros, in each row others."""

import torch

from elman.layers import spec_augment


def test_whole_stretches_are_blank_and_no_more_than_their_share() -> None:
    torch.manual_seed(0)
    lengths = torch.tensor([100, 50])
    seen = torch.zeros(2, dtype=torch.long)
    for _ in range(50):
        blank = spec_augment(torch.ones(100, 2, 40), lengths, 1) == 0
        for row, length in enumerate(lengths.tolist()):
            times = blank[:length, row].all(1)
            features = blank[:, row].all(0)
            seen += torch.stack([times.any(), features.any()])
            assert int(times.sum()) <= 0.2 * length
            assert int(features.sum()) <= 0.25 * 40
            assert torch.equal(blank[:, row], blank[:, row].all(1).unsqueeze(1) | features)
    assert (seen > 50).all()


def test_few_features_are_blanked_too() -> None:
    torch.manual_seed(0)
    found = torch.stack([spec_augment(torch.ones(1, 8, 4), torch.ones(8), 1) for _ in range(50)])
    assert bool((found == 0).any())


def test_rows_differ_and_none_is_none() -> None:
    torch.manual_seed(0)
    x = torch.ones(100, 8, 40)
    assert torch.equal(spec_augment(x, torch.full((8,), 100), 0), x)
    found = spec_augment(x, torch.full((8,), 100), 2)
    assert len({tuple(row.flatten().tolist()) for row in found.unbind(1)}) == 8
