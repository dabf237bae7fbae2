"""Tags of any scheme to stretches and back."""

import itertools

import pytest

from elman.data import Sentence, Span, bio, bioes, may_follow, spans_of
from elman.data.tagged.spans import repairs
from elman.data.tagged.tagged import tagged


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        ("B-A I-A O B-A", [(0, 2, "A"), (3, 4, "A")]),
        ("I-A I-A B-A O", [(0, 2, "A"), (2, 3, "A")]),
        ("B-A E-A S-B O", [(0, 2, "A"), (2, 3, "B")]),
        ("U-A B-B L-B", [(0, 1, "A"), (1, 3, "B")]),
        ("B-A I-B", [(0, 1, "A"), (1, 2, "B")]),
        ("B-A B-A", [(0, 1, "A"), (1, 2, "A")]),
        ("S-A I-A", [(0, 1, "A"), (1, 2, "A")]),
        ("O O", []),
    ],
)
def test_stretches_are_those_of_conlleval(tags: str, spans: list[tuple[int, int, str]]) -> None:
    assert spans_of(tags.split()) == [Span(*span) for span in spans]


def test_there_and_back() -> None:
    spans = [Span(0, 1, "A"), Span(1, 4, "B"), Span(5, 7, "A")]
    assert spans_of(bio(spans, 8)) == spans_of(bioes(spans, 8)) == spans


def test_what_bioes_writes_may_follow_each_other() -> None:
    tags = ["O", *bioes([Span(0, 1, "A"), Span(1, 4, "B"), Span(5, 7, "A")], 8), "O"]
    assert all(may_follow(a, b) for a, b in itertools.pairwise(tags))
    assert not may_follow("B-A", "O")
    assert not may_follow("B-A", "I-B")


def test_repairs_are_counted_and_told() -> None:
    assert repairs(["O", "I-A", "I-A", "B-B", "I-A"]) == 2
    found = tagged([Sentence(("a", "b"), ("O", "I-A")), Sentence(("c", "d"), ("B-A", "O"))], "x.conll")
    assert found.notes == ("1 tags of x.conll go on with a stretch that has not begun: they begin one",)
    assert found.sentences[0].tags == ("O", "S-A")


def test_the_first_scheme_of_conll_needs_no_repairs() -> None:
    found = tagged([Sentence(("a", "b", "c"), ("I-A", "B-A", "O"))], "x.conll")
    assert found.notes == ()
    assert found.sentences[0].tags == ("S-A", "S-A", "O")


def test_plain_tags_stay() -> None:
    found = tagged([Sentence(("a", "b"), ("NOUN", "VERB"))], "x.conll")
    assert not found.spans
    assert found.sentences[0].tags == ("NOUN", "VERB")
