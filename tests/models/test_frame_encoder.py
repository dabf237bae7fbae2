"""Vectors of frames."""

import torch
from torch import nn

from elman.models import FrameEncoder
from elman.models.frame_encoder import WIDE, places


def test_a_place_is_the_mean_of_places_in_their_shares() -> None:
    maps = torch.randn(2, 3, 5, 7)
    for number in range(2):
        for feature in range(3):
            weights = maps[number, feature].exp() / maps[number, feature].exp().sum()
            row = sum(float(weights[r, c]) * (r + 0.5) / 5 for r in range(5) for c in range(7))
            column = sum(float(weights[r, c]) * (c + 0.5) / 7 for r in range(5) for c in range(7))
            torch.testing.assert_close(places(maps)[number, feature], torch.tensor([row, column]))


def test_each_frame_has_a_vector_of_its_own() -> None:
    encoder = FrameEncoder(3, 4)
    frames = torch.rand(5, 2, 13, 9, 3)
    vectors = encoder(frames)
    assert vectors.shape == (5, 2, 4)
    torch.testing.assert_close(vectors[3:4, 1:], encoder(frames[3:4, 1:]))


def test_the_largest_value_stays_where_something_moves() -> None:
    encoder = FrameEncoder(1, 4)
    encoder.output = nn.Identity()
    frame = torch.zeros(1, 1, 64, 64, 1)
    frame[0, 0, 20:28, 24:30] = 1
    before, after = encoder(torch.cat([frame, frame.roll((8, 4), (2, 3))], dim=1))[0]
    torch.testing.assert_close(before[:WIDE], after[:WIDE])  # four pixels are one place of a map
    assert not torch.equal(before[WIDE:], after[WIDE:])
