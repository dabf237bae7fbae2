"""Chords after chords: steps and whole pieces agree, and probabilities add up."""

from itertools import product

import pytest
import torch
from torch.nn import functional as F

from elman.layers import Recurrent, find_cell
from elman.models import ChordModel


@pytest.fixture
def network() -> ChordModel:
    torch.manual_seed(0)
    network = ChordModel(Recurrent(find_cell("lstm"), 3, 5)).eval()
    network.among.data.normal_()
    return network


def test_the_probabilities_of_all_pieces_add_up_to_one(network):
    every = torch.tensor(list(product((0.0, 1.0), repeat=6))).view(64, 2, 3).transpose(0, 1)
    logs = -F.binary_cross_entropy_with_logits(network(every), every, reduction="none").sum((0, 2))
    assert logs.exp().sum().item() == pytest.approx(1, abs=1e-5)


def test_steps_go_the_way_of_the_whole_piece(network):
    piece = torch.randint(0, 2, (4, 1, 3)).float()
    state, before = None, torch.zeros(1, 3)
    for chord, odds in zip(piece, network(piece), strict=True):
        alone, state = network.step(before, state)
        torch.testing.assert_close(alone + chord @ network.among.tril(-1).T, odds)
        before = chord


def test_chords_are_drawn_as_often_as_they_are_likely(network):
    odds = torch.tensor([0.3, -0.5, 0.8]).expand(20_000, 3)
    drawn = network.chord(odds, 1.0, torch.Generator().manual_seed(0))
    for chord in product((0.0, 1.0), repeat=3):
        notes = torch.tensor(chord)
        share = (drawn == notes).all(1).float().mean()
        logs = -F.binary_cross_entropy_with_logits(odds[0] + notes @ network.among.tril(-1).T, notes, reduction="sum")
        assert share.item() == pytest.approx(logs.exp().item(), abs=0.015)  # four deviations of so many draws
    [likely] = network.chord(odds[:1], 0.0, torch.Generator().manual_seed(0))
    assert likely[0] == 1
