"""The nearest source: as a full comparison finds it, the first of equals, in any script, quickly."""

import math
import os
import random
from collections import Counter
from pathlib import Path
from time import perf_counter

import pytest

from elman.data.files import read_text
from elman.data.pairs.nearest import Nearest, words
from elman.errors import DataError

DATA = Path(os.environ.get("ELMAN_DATA", Path(__file__).parents[2].parent / "shared" / "data"))


def compared_with_all(sources: list[str], text: str) -> list[float]:
    """tf-idf cosines, written as the definition says."""
    counts = [Counter(words(source)) for source in sources]

    def vector(count: Counter[str]) -> dict[str, float]:
        seen_in = {word: sum(word in other for other in counts) for word in count}
        return {
            word: (1 + math.log(n)) * (1 + math.log((1 + len(sources)) / (1 + seen_in[word])))
            for word, n in count.items()
        }

    def cosine(one: dict[str, float], other: dict[str, float]) -> float:
        lengths = math.hypot(*one.values()) * math.hypot(*other.values())
        return sum(value * other.get(word, 0) for word, value in one.items()) / lengths if lengths else 0.0

    known = Counter({word: n for word, n in Counter(words(text)).items() if any(word in count for count in counts)})
    return [cosine(vector(known), vector(count)) for count in counts]


@pytest.mark.parametrize("seed", range(5))
def test_the_inverted_index_finds_what_a_full_comparison_finds(seed):
    chance = random.Random(seed)
    texts = [" ".join(chance.choices("abcdefghij", k=chance.randint(1, 8))) for _ in range(63)]
    nearest = Nearest(texts[:50])
    for text in texts[50:]:
        scores = compared_with_all(texts[:50], text)
        assert scores[nearest.find(text)] == pytest.approx(max(scores))


@pytest.mark.parametrize("text", ["A dog runs.", "黑猫睡觉", "मैं हिन्दी", "ネコが好き", "the the the cat"])
def test_a_source_finds_itself(text):
    sources = ["a dog", "a dog runs fast", "黑狗睡觉了", "हिन्दी", "ネコ", "the cat", text, text]
    assert Nearest(sources).find(text) == 6


def test_rare_words_tell_more_than_common_ones():
    assert Nearest(["the man", "the dog", "the cat", "a zebra"]).find("the zebra") == 3


@pytest.mark.parametrize("sources", [["a b", "b a"], ["x", "a", "a a"], ["q", "b a b a", "a b"]])
def test_equals_give_the_first(sources):
    expected = next(n for n, source in enumerate(sources) if "a" in source)
    assert Nearest(sources).find("a b") == expected
    assert Nearest(sources).find("b a") == expected


@pytest.mark.parametrize("text", ["", "?!", "nothing shared"])
@pytest.mark.parametrize("sources", [["", "..."], ["", "a dog"]])
def test_nothing_in_common_gives_the_first(sources, text):
    assert Nearest(sources).find(text) == 0


def test_no_source_is_refused():
    with pytest.raises(DataError, match="sources has no text"):
        Nearest([])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't STOP_now!", ["don", "t", "stop", "now"]),
        ("他有3只cats。", ["他", "有", "3", "只", "cats"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("Ａｂｃ", ["abc"]),
        ("cafe\u0301", ["café"]),
        (" \n", []),
    ],
)
def test_words_of_any_script(text, expected):
    assert words(text) == expected


def test_a_thousand_questions_to_multi30k_in_ten_seconds():
    folder = DATA / "multi30k"
    if not folder.is_dir():
        pytest.skip(f"no data in {folder}")
    sources = read_text(folder / "train.en.gz").splitlines()
    questions = read_text(folder / "test_2016_flickr.en.gz").splitlines()
    start = perf_counter()
    nearest = Nearest(sources)
    found = [nearest.find(question) for question in questions]
    assert perf_counter() - start < 10  # 1.4 s on one core of 2025
    shared = [
        set(words(sources[index])) & set(words(question)) for index, question in zip(found, questions, strict=True)
    ]
    assert all(shared)
