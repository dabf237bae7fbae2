"""Beams of texts against all ways to say all texts, one by one."""

from collections import defaultdict
from itertools import groupby, product
from math import inf, log, prod
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import elman
from elman.data import Tokenizer
from elman.errors import OptionError
from elman.tasks.transcribe.language import Language
from elman.tasks.transcribe.options import Transcribing
from elman.tasks.transcribe.prefix_search import PrefixSearch
from elman.tasks.transcribe.transcript import BestPath

LETTERS = Tokenizer.learn("ab ", "character")


def all_texts(scores: Tensor) -> dict[tuple[int, ...], float]:
    """The probability of every text: that of all its ways, one by one."""
    none, found = scores.shape[1] - 1, defaultdict(float)
    for way in product(range(none + 1), repeat=len(scores)):
        text = tuple(unit for unit, _ in groupby(way) if unit != none)
        found[text] += prod(float(scores[step, unit].exp()) for step, unit in enumerate(way))
    return found


def units(search: PrefixSearch) -> dict[tuple[int, ...], float]:
    """Texts of a search, and what they come to."""
    return {tuple(one.unit for one in text.line)[-2::-1]: text.total for text in search.texts}


def random_scores(steps: int, seed: int) -> Tensor:
    return (2 * torch.randn(steps, 4, generator=torch.Generator().manual_seed(seed))).log_softmax(1)


@pytest.mark.parametrize("seed", range(5))
def test_all_ways_to_say_a_text_are_counted_together(seed: int) -> None:
    scores = random_scores(6, seed)
    search, expected = PrefixSearch(LETTERS, 10_000, least=-inf), all_texts(scores)
    assert search.read(scores) == []
    assert search.likely
    found = units(search)
    assert found.keys() == expected.keys()
    assert {text: pytest.approx(log(share), abs=1e-5) for text, share in expected.items()} == found
    assert tuple(one.unit for one in search.likely) == max(expected, key=lambda text: expected[text])


def test_two_ways_to_one_text_are_more_than_the_best_way_to_another() -> None:
    """The likeliest way says nothing; but more ways say a."""
    scores = torch.tensor([[0.4, 0.0, 0.0, 0.6], [0.4, 0.0, 0.0, 0.6]]).log()
    search, path = PrefixSearch(LETTERS, 4), BestPath()
    assert [one.unit for one in search.read(scores) + search.likely] == [0]
    assert path.read(scores) + path.likely == []


@pytest.mark.parametrize("size", [1, 7, 40, 200])
def test_pieces_of_any_size_come_to_the_same(size: int) -> None:
    scores = random_scores(200, 7)
    whole, pieces = PrefixSearch(LETTERS, 5), PrefixSearch(LETTERS, 5)
    expected = whole.read(scores)
    assert len(expected) > 30  # most of it is certain before the end
    found = [one for part in scores.split(size) for one in pieces.read(part)]
    assert found == expected
    assert pieces.likely == whole.likely
    assert len({*whole.texts[0].line}) < 100  # what is certain is forgotten


def test_places_are_those_of_the_likeliest_way() -> None:
    scores = torch.full((6, 4), 0.02)
    for step, unit in enumerate([3, 0, 0, 3, 0, 1]):
        scores[step, unit] = 0.94
    search = PrefixSearch(LETTERS, 8)
    found = search.read(scores.log()) + search.likely
    path = BestPath()
    assert found == path.read(scores.log()) + path.likely


def test_words_count() -> None:
    scores = torch.tensor([[0.5, 0.01, 0.01, 0.48], [0.01, 0.01, 0.3, 0.68], [0.5, 0.01, 0.01, 0.48]]).log()
    numbers = LETTERS.encode("a ").tolist()
    scores = scores[:, [numbers.index(unit) if unit in numbers else 2 for unit in range(3)] + [3]]
    text = {}
    for bonus in (-2.0, 2.0):
        search = PrefixSearch(LETTERS, 50, word_bonus=bonus, least=-inf)
        text[bonus] = LETTERS.decode([one.unit for one in search.read(scores) + search.likely])
        assert search.texts[0].words == len(text[bonus].split())
    assert len(text[2.0].split()) > len(text[-2.0].split())


@pytest.fixture(scope="module")
def language(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that has read what goes with what."""
    folder = tmp_path_factory.mktemp("language")
    (folder / "text.txt").write_text("a b\nb a\nc c\n" * 60)
    shape: dict[str, Any] = {"hidden_size": 16, "embedding_size": 8, "batch_size": 4, "window": 20}
    elman.train("generate", train=folder / "text.txt", out=folder / "run", epochs=6, learning_rate=0.02, **shape)
    return folder / "run"


def test_a_language_model_counts_beside_the_sound(language: Path) -> None:
    tokenizer = Tokenizer.learn("abc ", "character")
    scores = (2 * torch.randn(4, 5)).log_softmax(1)
    search = PrefixSearch(tokenizer, 10_000, Language(language, tokenizer), 0.7, 0.3, least=-inf)
    search.read(scores)
    model: Any = elman.load(language)
    expected = {}
    for text, share in all_texts(scores).items():
        line = model.task.tokenizer.encode("\n" + tokenizer.decode(text))
        logs = model.network(line.unsqueeze(1))[0][:, 0].log_softmax(1).detach()
        known = sum(float(logs[place, unit]) for place, unit in enumerate(line[1:].tolist()))
        expected[text] = log(share) + 0.7 * known + 0.3 * len(tokenizer.decode(text).split())
    for text in search.texts:
        found = tuple(one.unit for one in text.line)[-2::-1]
        assert search.score(text, text.total) == pytest.approx(expected.pop(found), abs=1e-4)
    assert not expected


def test_a_language_model_decides_where_the_sound_does_not(language: Path) -> None:
    tokenizer = Tokenizer.learn("abc\n ", "character", unknown=True)
    a, b, c, space = tokenizer.encode("abc ").tolist()
    scores = torch.full((3, len(tokenizer) + 1), 0.001)
    scores[0, a] = scores[1, space] = 0.99
    scores[2, b], scores[2, c] = 0.4, 0.59
    said = {}
    for weight in (0.0, 1.0):
        search = PrefixSearch(tokenizer, 6, Language(language, tokenizer), weight)
        said[weight] = tokenizer.decode([one.unit for one in search.read(scores.log()) + search.likely])
    assert said == {0.0: "a c", 1.0: "a b"}


def test_a_language_model_of_a_single_line_knows_of_no_beginning(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("abbab cab " * 90)
    shape: dict[str, Any] = {"hidden_size": 8, "embedding_size": 4, "batch_size": 2, "window": 20, "epochs": 1}
    elman.train("generate", train=tmp_path / "text.txt", out=tmp_path / "run", **shape)
    tokenizer = Tokenizer.learn("abc \n", "character", unknown=True)
    language = Language(tmp_path / "run", tokenizer)
    assert language.border is None
    first = language.begin()
    known = language.places < language.network.output.out_features
    assert (first.shares > -inf).tolist() == known.tolist()
    a, b = tokenizer.encode("ab").tolist()
    (later,) = language.follow([first], [a])
    both = language.follow([later, first, later], [b, a, a])
    alone = [*language.follow([later], [b]), later, *language.follow([later], [a])]
    for one, other in zip(both, alone, strict=True):
        assert one.shares == pytest.approx(other.shares, abs=1e-5)
    search = PrefixSearch(tokenizer, 8, language, 0.5, least=-inf)
    search.read((2 * torch.randn(12, len(tokenizer) + 1)).log_softmax(1))
    assert search.likely


def test_language_models_that_cannot_be(language: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"lacks 1 of the units that this model writes, such as .q.; train it on"):
        Language(language, Tokenizer.learn("abq", "character"))
    with pytest.raises(OptionError, match="reads units = character; expected word, as this model writes"):
        Language(language, Tokenizer.learn("a b", "word"))
    config = (language / "config.json").read_text()
    (tmp_path / "config.json").write_text(config.replace('"task": "generate"', '"task": "classify"'))
    with pytest.raises(OptionError, match="language_model expects a run of generate that writes text"):
        Language(tmp_path, LETTERS)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"word_bonus": 1.0}, "language_model and word_bonus act on a beam of 2 or more"),
        ({"language_model": "run"}, "language_model and word_bonus act on a beam of 2 or more"),
        ({"beam": 4, "language_weight": 0.1}, "language_weight acts on a language_model"),
        ({"beam": 0}, "beam expects a number greater than or equal to 1"),
        ({"beam": 4, "language_model": "run", "language_weight": -1.0}, "language_weight expects a number greater"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Transcribing.of(settings)
