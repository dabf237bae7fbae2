"""What was said, when, and how sure that is.

Key: S steps, V units.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from math import exp
from typing import Any

from torch import Tensor

from elman.data import Tokenizer


@dataclass(frozen=True)
class Said:
    """A unit, from a step up to another, and how probable."""

    unit: int
    first: int
    last: int
    share: float


@dataclass(frozen=True)
class Word:
    """A word, from one second to another, and how probable its least sure unit is."""

    text: str
    start: float
    end: float
    confidence: float


@dataclass(frozen=True)
class Transcript:
    """A text, word by word."""

    text: str
    words: Sequence[Word]

    def as_json(self) -> dict[str, Any]:
        """Ready for JSON."""
        return asdict(self)


def best_path(scores: Tensor) -> list[Said]:
    """The likeliest unit at each step, (S, V + 1) logarithms of probabilities; repeated ones are one, none is none."""
    shares, units = scores.max(1)
    none, found = scores.shape[1] - 1, []
    for unit, steps in groupby(range(len(units)), key=lambda step: int(units[step])):
        if unit != none:
            places = list(steps)
            share = max(float(shares[step]) for step in places)
            found.append(Said(unit, places[0], places[-1] + 1, share))
    return found


def transcript(said: Sequence[Said], tokenizer: Tokenizer, seconds: float) -> Transcript:
    """Units as words.

    Args:
        said: The units.
        tokenizer: What they are.
        seconds: Of a step.
    """
    text = tokenizer.decode([one.unit for one in said])
    return Transcript(" ".join(text.split()), list(_words(said, tokenizer, seconds)))


def _words(said: Sequence[Said], tokenizer: Tokenizer, seconds: float) -> Iterator[Word]:
    """Each from its first unit to its last."""
    decoder, text, units = tokenizer.decoder(), "", []
    for one in said:
        piece = next(tokenizer.stream([one.unit], decoder), "")
        if (piece[:1].isspace() or tokenizer.units == "word") and text.strip():
            yield _word(text, units, seconds)
            text, units = "", []
        text += piece
        units += [one] if piece.strip() or not piece else []
        if piece[-1:].isspace() and text.strip():
            yield _word(text, units, seconds)
            text, units = "", []
    if text.strip():
        yield _word(text, units, seconds)


def _word(text: str, said: Sequence[Said], seconds: float) -> Word:
    share = exp(min(one.share for one in said))
    return Word(text.strip(), round(said[0].first * seconds, 3), round(said[-1].last * seconds, 3), round(share, 4))
