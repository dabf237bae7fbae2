"""Stretches of a sequence with a name each, and the tags that stand for them step by step.

Ramshaw and Marcus 1995 (IOB1), Tjong Kim Sang and Veenstra 1999 (IOB2, here BIO), Ratinov and Roth 2009 (BIOES).
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

OUTSIDE = "O"
FIRST, LAST = "BSU", "ESLU"
"""Letters that begin and that end a stretch, in all schemes: L and U are other names of E and S."""
PREFIXES = frozenset("BIESLUM")


class Span(NamedTuple):
    """A stretch of steps."""

    start: int
    end: int
    """The step behind its last one."""
    label: str


def is_span_tag(tag: str) -> bool:
    """Whether a tag is O, or a letter of a scheme and a name, such as B-PER.

    >>> is_span_tag("I-LOC"), is_span_tag("NOUN")
    (True, False)
    """
    return tag == OUTSIDE or (tag[:1] in PREFIXES and tag[1:2] in "-_" and len(tag) > 2)


def spans_of(tags: Sequence[str]) -> list[Span]:
    """The stretches that tags of any scheme stand for, as conlleval finds them.

    A tag that goes on with another name, or with none before it, begins a stretch.

    Example:
        >>> spans_of(["B-PER", "I-PER", "O", "I-LOC"])
        [Span(start=0, end=2, label='PER'), Span(start=3, end=4, label='LOC')]
    """
    spans: list[Span] = []
    start, before, label = 0, OUTSIDE, ""
    for step, tag in enumerate((*tags, OUTSIDE)):
        letter, name = (OUTSIDE, "") if tag == OUTSIDE else (tag[0], tag[2:])
        goes_on = letter != OUTSIDE and letter not in FIRST and name == label and before not in (OUTSIDE, *LAST)
        if not goes_on:
            if before != OUTSIDE:
                spans.append(Span(start, step, label))
            start, label = step, name
        before = letter
    return spans


def bio(spans: Iterable[Span], length: int) -> list[str]:
    """Tags of stretches: B- at the first step of each, I- at the others, O between.

    Example:
        >>> bio([Span(0, 2, "PER")], 3)
        ['B-PER', 'I-PER', 'O']
    """
    tags = [OUTSIDE] * length
    for start, end, label in spans:
        tags[start:end] = [f"B-{label}", *[f"I-{label}"] * (end - start - 1)]
    return tags


def bioes(spans: Iterable[Span], length: int) -> list[str]:
    """The same with E- at the last step of each stretch, and S- for one of a single step.

    Example:
        >>> bioes([Span(0, 2, "PER"), Span(2, 3, "LOC")], 4)
        ['B-PER', 'E-PER', 'S-LOC', 'O']
    """
    tags = bio(spans, length)
    for start, end, label in spans:
        tags[end - 1] = f"{'S' if end - start == 1 else 'E'}-{label}"
    return tags


def repairs(tags: Sequence[str]) -> int:
    """Tags I- or E- that go on with nothing: what stands before has another name, or none.

    Example:
        >>> repairs(["I-PER", "I-PER", "B-LOC", "I-ORG"])
        2
    """
    pairs = zip((OUTSIDE, *tags), tags, strict=False)
    return sum(
        tag[0] in "IELM" and (before == OUTSIDE or before[0] in LAST or before[2:] != tag[2:]) for before, tag in pairs
    )


def may_follow(before: str, tag: str) -> bool:
    """Whether a tag of BIOES may stand behind another one; O also stands for the end, on either side.

    Example:
        >>> may_follow("B-PER", "E-PER"), may_follow("O", "I-PER")
        (True, False)
    """
    inside = before[0] in "BI"
    return tag[0] in "IE" and before[2:] == tag[2:] if inside else tag[0] in "BSO"
