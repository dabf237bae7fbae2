"""Dropout that lasts for a sequence, and dropout of whole words."""

import pytest
import torch

from elman.errors import OptionError
from elman.layers import Embedding, drop_features, sequence_dropout


@pytest.mark.parametrize("p", [0.0, 0.2, 0.7])
def test_one_mask_for_a_sequence(p: float) -> None:
    x = torch.randn(4, 50, 40)
    y = sequence_dropout(x, p)
    kept = y != 0
    assert (kept == kept[0]).all()
    assert abs((~kept[0]).double().mean() - p) < 0.05  # over four standard deviations of 2000 draws' mean
    torch.testing.assert_close(y[kept], x[kept] / (1 - p))


@pytest.mark.parametrize("p", [0.1, 0.5, 0.99])
def test_steps_have_masks_of_their_own(p: float) -> None:
    x = torch.randn(41, 51, 61)
    y = drop_features(x, p, training=True, per_sequence=False)
    kept = y != 0
    torch.testing.assert_close(y[kept], x[kept] / (1 - p))
    for axis in range(3):  # no step, row or feature has much more or less
        rows = kept.double().transpose(0, axis).flatten(1)
        assert ((rows.mean(1) - (1 - p)).abs() < 6 * (p * (1 - p) / rows.shape[1]) ** 0.5).all()
    assert abs(kept.double().mean() - (1 - p)) < 5 * (p * (1 - p) / x.numel()) ** 0.5


def test_a_seed_makes_a_mask() -> None:
    x = torch.ones(7, 5, 3)  # an odd number of features
    found = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        found.append(drop_features(x, 0.5, training=True, per_sequence=False))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])
    assert drop_features(x, 0.5, training=False, per_sequence=False) is x


def test_rows_have_masks_of_their_own() -> None:
    y = sequence_dropout(torch.ones(2, 2, 40), 0.5)
    assert not torch.equal(y[:, 0], y[:, 1])


def test_gradient_is_the_mask() -> None:
    x = torch.ones(3, 2, 40, requires_grad=True)
    y = sequence_dropout(x, 0.5)
    y.sum().backward()
    assert torch.equal(x.grad, y)


@pytest.mark.parametrize("size", [(0, 2, 3), (2, 0, 3), (1, 1, 1)])
def test_empty_sequences(size: tuple[int, int, int]) -> None:
    assert sequence_dropout(torch.ones(size), 0.5).shape == size


def test_a_dropped_word_is_dropped_everywhere() -> None:
    embedding = Embedding(1000, 4, word_dropout=0.3)
    tokens = torch.arange(1000).repeat(3, 2, 1).flatten(1)
    vectors = embedding(tokens)
    dropped = (vectors == 0).all(dim=-1)
    assert torch.equal(dropped.view(6, 1000), dropped[0, :1000].expand(6, -1))
    assert abs(dropped.double().mean() - 0.3) < 0.06  # over four standard deviations of 1000 draws' mean
    torch.testing.assert_close(vectors[~dropped], (embedding.weight[tokens] / 0.7)[~dropped])
    assert not torch.equal(embedding(tokens), vectors)


@pytest.mark.parametrize("embedding", [Embedding(9, 4), Embedding(9, 4, word_dropout=0.5).eval()], ids=["zero", "eval"])
def test_otherwise_it_is_a_table(embedding: Embedding) -> None:
    tokens = torch.randint(9, (5, 2))
    assert torch.equal(embedding(tokens), embedding.weight[tokens])
    assert list(embedding.state_dict()) == ["weight"]


@pytest.mark.parametrize("p", [1.0, 1, -0.1, float("nan"), "half", True])
@pytest.mark.parametrize(
    "use", [lambda p: Embedding(9, 4, word_dropout=p), lambda p: sequence_dropout(torch.ones(1, 1, 1), p)]
)
def test_impossible_share_is_refused(use, p: object) -> None:
    with pytest.raises(OptionError, match="expects a probability from 0 up to, but without, 1") as caught:
        use(p)
    assert str(caught.value).endswith(f"received {p!r}")
