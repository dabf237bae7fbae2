"""Translators of both kinds: their loss is torch's, a step equals the whole, tied vectors are one tensor."""

from typing import Any

import pytest
import torch
from torch.nn import functional as F

from elman.data import IGNORE, NumberedPairs, PairBatch, PairBatches
from elman.errors import OptionError
from elman.layers import LSTMCell
from elman.models import RecurrentTranslator, TransformerTranslator, Translator

SIZES: dict[str, Any] = {"embedding_size": 8, "hidden_size": 12, "num_layers": 2}


def make(kind: str, **settings: Any) -> Translator:
    if kind == "transformer":
        return TransformerTranslator(20, 30, heads=2, **SIZES, **settings).eval()
    return RecurrentTranslator(20, 30, LSTMCell, **SIZES, **settings).eval()


@pytest.fixture
def batch() -> PairBatch:
    sources = [torch.randint(1, 20, (n,)) for n in (5, 3, 7)]
    targets = [torch.randint(1, 30, (n,)) for n in (4, 2, 6)]
    return PairBatches(NumberedPairs(sources, targets, "abc", "abc"), (0, 0), 100).of([0, 1, 2])


@pytest.mark.parametrize("kind", ["recurrent", "transformer"])
def test_the_loss_is_the_mean_over_all_real_targets(kind: str, batch: PairBatch):
    network = make(kind)
    scores = network.output(network.vectors(batch))
    expected = F.cross_entropy(scores.flatten(0, 1), batch.targets.flatten(), ignore_index=IGNORE, label_smoothing=0.1)
    torch.testing.assert_close(network.loss(batch, 0.1), expected)


@pytest.mark.parametrize("kind", ["recurrent", "transformer"])
def test_steps_equal_the_whole_also_for_beams(kind: str, batch: PairBatch):
    network = make(kind)
    expected = network.vectors(batch)
    with torch.inference_mode():
        position = network.start(batch.source, batch.source_lengths).select(torch.tensor([0, 0, 1, 1, 2, 2]))
        for step in range(2):
            output, weights, position = network.write(batch.inputs[step].repeat_interleave(2), position)
            torch.testing.assert_close(output, expected[step].repeat_interleave(2, 0))
        position = position.select(torch.tensor([1, 0, 4, 5]), torch.tensor([0, 2]))
        output, weights, _ = network.write(batch.inputs[2, [0, 0, 2, 2]], position)
    torch.testing.assert_close(output, expected[2, [0, 0, 2, 2]])
    torch.testing.assert_close(weights.sum(1), torch.ones(4))


@pytest.mark.parametrize("kind", ["recurrent", "transformer"])
def test_what_follows_is_not_seen(kind: str, batch: PairBatch):
    network = make(kind)
    before = network.vectors(batch)
    batch.inputs[3:] = 1
    torch.testing.assert_close(network.vectors(batch)[:3], before[:3])


def test_tied_vectors_are_one():
    network = RecurrentTranslator(30, 30, LSTMCell, tied="all", **SIZES)
    assert network.source.weight is network.target.weight is network.output.weight
    with pytest.raises(OptionError, match="tied = all expects one vocabulary"):
        make("recurrent", tied="all")


def test_heads_that_do_not_divide_are_named():
    with pytest.raises(OptionError, match=r"embedding_size \(=8\) must be even and divisible by heads \(=3\)"):
        TransformerTranslator(20, 30, heads=3, **SIZES)
