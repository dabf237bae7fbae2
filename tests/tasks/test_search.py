"""The search finds what trying everything finds, heeds its options, and does not let sentences disturb each other."""

from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor

from elman.errors import OptionError, RunError
from elman.layers import GRUCell
from elman.models import RecurrentTranslator, TransformerTranslator, Translator
from elman.tasks.translate.search import Search, Searching, best_of

BORDER, UNITS = 0, 5


def make(kind: str = "recurrent", units: int = UNITS) -> Translator:
    torch.manual_seed(3)
    if kind == "transformer":
        network = TransformerTranslator(9, units, embedding_size=8, hidden_size=8, heads=2)
    else:
        network = RecurrentTranslator(9, units, GRUCell, embedding_size=8, hidden_size=8)
    network.output.weight.data.mul_(12)  # a fresh model's scores are too much alike
    return network.eval()


def sources(count: int = 3) -> tuple[Tensor, Tensor]:
    lengths = torch.tensor([6, 3, 4, 1, 5, 2][:count])
    return torch.randint(1, 9, (6, count), generator=torch.Generator().manual_seed(5)), lengths


def search(network: Translator, settings: dict[str, Any], count: int = 3, **more: Any):
    return Search(network, BORDER, Searching.of(settings), **more)(*sources(count))


def log_probability(network: Translator, sentence: int, units: tuple[int, ...]) -> float:
    """Of an answer with its end, step by step."""
    source, lengths = sources()
    with torch.inference_mode():
        one = source[: lengths[sentence], sentence : sentence + 1]
        position = network.start(one, lengths[sentence : sentence + 1])
        total, before = 0.0, BORDER
        for step, unit in enumerate((*units, BORDER)):
            outputs, _, position = network.write(torch.tensor([before]), position)
            scores = network.output(outputs)
            if not step:
                scores[:, BORDER] = -torch.inf
            total += float(scores.log_softmax(1)[0, unit])
            before = unit
    return total


@pytest.mark.parametrize("kind", ["recurrent", "transformer"])
def test_a_wide_beam_finds_the_best_of_all_answers(kind: str):
    network = make(kind)
    found = search(network, {"beam_size": 5, "length_penalty": 0, "max_length": 3, "n_best": 2})
    answers = [units for length in (1, 2) for units in product(range(1, UNITS), repeat=length)]
    for sentence, (first, second) in enumerate(found):
        totals = sorted((log_probability(network, sentence, units), units) for units in answers)
        ended = [one for one in (first, second) if len(one.units) < 3]
        for one in ended:
            assert one.log_probability == pytest.approx(log_probability(network, sentence, tuple(one.units)), abs=1e-4)
        if len(first.units) < 3:
            assert tuple(first.units) == totals[-1][1]


def test_a_beam_of_one_takes_the_best_unit_at_each_step():
    network = make()
    source, lengths = sources(1)
    (found,) = search(network, {"beam_size": 1, "max_length": 8}, 1)
    with torch.inference_mode():
        position, before = network.start(source, lengths), BORDER
        for step in range(len(found[0].units)):
            outputs, _, position = network.write(torch.tensor([before]), position)
            scores = network.output(outputs)[0]
            scores[BORDER] = scores[BORDER] if step else -torch.inf
            before = int(scores.argmax())
            assert before == found[0].units[step]


WAYS = [{"beam_size": 3, "n_best": 3}, {"beam_size": 1}, {"beam_size": 4, "no_repeat": 2, "max_length": 9}]


@pytest.mark.parametrize("settings", WAYS)
def test_sentences_do_not_disturb_each_other(settings: dict[str, Any]):
    network = make(units=200)
    together = search(network, settings, 6)
    source, lengths = sources(6)
    for number, found in enumerate(together):
        one = source[: lengths[number], number : number + 1]
        (alone,) = Search(network, BORDER, Searching.of(settings))(one, lengths[number : number + 1])
        assert [each.units for each in found] == [each.units for each in alone]
        for a, b in zip(found, alone, strict=True):
            assert a.score == pytest.approx(b.score, abs=1e-4)
            assert a.weights is not None
            assert b.weights is not None
            torch.testing.assert_close(a.weights[:, : lengths[number]], b.weights)


def test_answers_come_best_first_with_scores_by_length():
    for found in search(make(), {"beam_size": 4, "n_best": 4, "length_penalty": 0.7}):
        assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
        for one in found:
            assert one.weights is not None
            assert one.score == pytest.approx(one.log_probability / ((5 + len(one.weights)) / 6) ** 0.7)


def test_a_longer_answer_is_favoured_by_the_length_penalty():
    network = make()
    network.output.bias.data[BORDER] += 3  # so that answers end
    (found,) = search(network, {"n_best": 5, "length_penalty": 0}, 1)
    (other,) = search(network, {"n_best": 5, "length_penalty": 9}, 1)
    assert len(other[0].units) > len(found[0].units)


def test_coverage_counts_what_was_not_seen():
    network = make()
    plain = search(network, {"n_best": 1})
    covered = search(network, {"n_best": 1, "coverage_penalty": 0.5})
    for (one,), (other,), length in zip(plain, covered, sources()[1], strict=True):
        if one.units == other.units:
            assert one.weights is not None
            seen = one.weights.sum(0)[:length].clamp(0.01, 1).log().sum()
            assert other.score == pytest.approx(one.score + 0.5 * float(seen), abs=1e-4)


def test_prefix_forbidden_units_and_repeats():
    network = make(units=6)
    for (found,) in search(network, {"max_length": 8}, prefix=torch.tensor([4, 4, 2]), forbidden=[3]):
        assert found.units[:3] == [4, 4, 2]
        assert 3 not in found.units
    for (found,) in search(network, {"max_length": 12, "no_repeat": 2, "beam_size": 3}):
        pairs = list(zip(found.units, found.units[1:], strict=False))
        assert len(pairs) == len(set(pairs))


def test_drawn_answers_follow_the_seed_and_the_options():
    network = make(units=50)
    draw = {"sample": True, "temperature": 1.5, "n_best": 4, "max_length": 6}
    first, again, other = (search(network, {**draw, "seed": seed}) for seed in (1, 1, 2))
    units = [[[one.units for one in each] for each in found] for found in (first, again, other)]
    assert units[0] == units[1] != units[2]
    assert all(len(found) == 4 for found in first)
    greedy = search(network, {"beam_size": 1, "max_length": 6})
    coldest = search(network, {"sample": True, "temperature": 0.0, "max_length": 6})
    assert [one[0].units for one in greedy] == [one[0].units for one in coldest]


def test_drawn_answers_do_not_depend_on_their_neighbours():
    network = make(units=50)
    draw = {"sample": True, "temperature": 1.5, "n_best": 3, "max_length": 6}
    source, lengths = sources(3)
    together = search(network, draw)
    alone = Search(network, BORDER, Searching.of(draw))(source[: lengths[1], 1:2], lengths[1:2])
    assert [one.units for one in together[1]] == [one.units for one in alone[0]]


@pytest.mark.parametrize(
    "settings",
    [{"beam_size": 3, "no_repeat": 1, "n_best": 3}, {"n_best": 3, "beam_size": 3, "max_length": 1}, {"no_repeat": 1}],
)
def test_where_little_can_follow_answers_are_few_but_possible(settings: dict[str, Any]):
    for units in (2, 3):
        network = make(units=units)
        for found in search(network, settings | ({} if units > 2 else {"beam_size": 2, "n_best": 1})):
            assert 1 <= len(found) <= 3
            for one in found:
                assert one.log_probability > -torch.inf
                assert one.weights is None or len(one.weights) in (len(one.units), len(one.units) + 1)


def test_the_beam_that_nobody_asked_for_fits_the_vocabulary():
    assert search(make(units=3), {"max_length": 4})[0][0].units


def test_without_alignment_the_answers_are_the_same():
    network = make()
    plain = search(network, {"n_best": 3}, aligned=False)
    assert [[one.units for one in each] for each in plain] == [
        [one.units for one in each] for each in search(network, {"n_best": 3})
    ]
    assert plain[0][0].weights is None


def test_precision_rounds_scores_and_leaves_the_network_as_it_is():
    network = make()
    settings = {"beam_size": 1, "max_length": 5}
    (exact,), (rounded,) = (search(network, settings | {"precision": name}, 1)[0] for name in ("f32", "bf16"))
    assert 0 < abs(rounded.log_probability - exact.log_probability) < 0.02 * abs(exact.log_probability)
    assert network.output.weight.dtype == torch.float32


def test_scores_are_sought_block_by_block(monkeypatch: pytest.MonkeyPatch):
    network, settings = make(), {"n_best": 3, "no_repeat": 2, "max_length": 6}
    whole, drawn = search(network, settings, 6), search(network, {"sample": True}, 6)
    monkeypatch.setattr("elman.tasks.translate.search.SCORES_AT_ONCE", 4 * UNITS)
    assert [[one.units for one in each] for each in search(network, settings, 6)] == [
        [one.units for one in each] for each in whole
    ]
    assert [each[0].units for each in search(network, {"sample": True}, 6)] == [each[0].units for each in drawn]


def test_a_prefix_longer_than_an_answer_is_refused():
    with pytest.raises(OptionError, match="max_length expects more than the prefix has, 3 units; received 3"):
        search(make(), {"max_length": 3}, prefix=torch.tensor([1, 2, 3]))


def test_best_of_equals_a_sort():
    scores = torch.randn(7, 1003)
    assert torch.equal(best_of(scores, 10), scores.topk(10).indices)
    assert torch.equal(best_of(scores[:, :30], 10), scores[:, :30].topk(10).indices)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"beam_size": 3, "sample": True}, "beam_size does not act on drawn answers"),
        ({"beam_size": 6}, "beam_size expects at most 5, the units of the vocabulary; received 6"),
        ({"beam_size": 2, "n_best": 3}, "n_best expects at most beam_size, 2; received 3"),
        ({"top_k": 2}, "top_k acts on drawn answers only"),
        ({"beam_sise": 2}, "did you mean 'beam_size'"),
        ({"no_repeat": -1}, "no_repeat expects"),
    ],
)
def test_impossible_settings_are_named(settings: dict[str, Any], message: str):
    with pytest.raises(OptionError, match=message):
        search(make(), settings)


def test_a_damaged_network_is_said_to_be_so():
    network = make()
    network.output.bias.data[2] = torch.nan
    with pytest.raises(RunError, match="not numbers"):
        search(network, {})


class Steps:
    """A place in writing that only counts."""

    def __init__(self, step: int = 0) -> None:
        self.step = step

    def select(self, rows: Tensor, sentences: Tensor | None = None) -> "Steps":
        return self


class Sure(torch.nn.Module):
    """Nearly sure of eight times the unit 1 and then the end; everything else is always as likely as each other."""

    def __init__(self) -> None:
        super().__init__()
        self.output = torch.nn.Linear(UNITS, UNITS)
        torch.nn.init.eye_(self.output.weight)
        torch.nn.init.zeros_(self.output.bias)

    def start(self, source: Tensor, lengths: Tensor) -> Steps:
        return Steps()

    def write(self, units: Tensor, position: Steps) -> tuple[Tensor, None, Steps]:
        shares = torch.full((len(units), UNITS), 0.02)
        shares[:, 1 if position.step < 8 else BORDER] = 0.92
        return shares.log(), None, Steps(position.step + 1)


@pytest.mark.parametrize("beam_size", [1, 2, 3, 5])
def test_short_answers_that_ended_early_do_not_crowd_out_a_better_one(beam_size: int):
    network: Any = Sure()
    for (best,) in search(network, {"beam_size": beam_size}):
        assert best.units == [1] * 8
