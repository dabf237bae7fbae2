"""Images pixel by pixel: what depends on what, and that probabilities add up."""

from itertools import product

import pytest
import torch

from elman.layers import find_cell
from elman.models import Painter


@pytest.mark.parametrize(("columns", "rows", "levels", "layers"), [(5, 4, 3, 1), (1, 3, 2, 2), (7, 1, 4, 1)])
def test_a_pixel_depends_on_those_before_it_and_on_no_other(columns, rows, levels, layers):
    torch.manual_seed(0)
    network = Painter(find_cell("gru"), columns, levels, hidden_size=6, num_layers=layers).eval()
    images = torch.randint(0, levels, (rows, 2, columns))
    scores = network(images)
    assert scores.shape == (rows, 2, columns, levels)
    for row, column in product(range(rows), range(columns)):
        changed = images.clone()
        changed[row, 0, column] = (changed[row, 0, column] + 1) % levels
        differs = (network(changed) != scores).any(3)
        assert not differs[:, 1].any()
        assert not differs[:row, 0].any()
        assert not differs[row, 0, : column + 1].any()
        assert differs[row, 0, column + 1 :].all()
        assert differs[row + 1 :, 0].all()


def test_the_probabilities_of_all_images_add_up_to_one():
    torch.manual_seed(1)
    network = Painter(find_cell("lstm"), 3, 2, hidden_size=5).eval()
    every = torch.tensor(list(product((0, 1), repeat=6))).view(64, 2, 3).transpose(0, 1)
    logs = network(every).log_softmax(3).gather(3, every.unsqueeze(3)).sum((0, 2, 3))
    assert logs.exp().sum().item() == pytest.approx(1, abs=1e-5)


def test_what_is_drawn_follows_the_scores_of_the_whole_image():
    torch.manual_seed(2)
    network = Painter(find_cell("lstm"), 4, 3, hidden_size=5).eval()
    given = torch.randint(0, 3, (5, 2, 4))
    images = network.draw(given, 2, lambda scores: scores.argmax(1))
    assert torch.equal(images[:2], given[:2])
    assert torch.equal(images[2:], network(images).argmax(3)[2:])
    assert torch.equal(network.draw(given, 5, lambda scores: scores.argmax(1)), given)
