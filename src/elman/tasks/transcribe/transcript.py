"""What was said, when, and how sure that is.

Key: S steps, V units.
"""

from collections.abc import Iterator, Sequence
from copy import copy, deepcopy
from dataclasses import asdict, dataclass, replace
from math import exp
from typing import Any, Protocol

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

    @classmethod
    def of(cls, words: Sequence[Word]) -> "Transcript":
        """Words with spaces between them."""
        return cls(" ".join(word.text for word in words), words)

    def as_json(self) -> dict[str, Any]:
        """Ready for JSON."""
        return asdict(self)


class Decoding(Protocol):
    """Finds units in scores as they come."""

    def read(self, scores: Tensor) -> list[Said]:
        """The next (S, V + 1) logarithms of probabilities, none last -> the units that are certain now."""
        ...

    @property
    def likely(self) -> list[Said]:
        """Units behind them, as it looks by now."""
        ...


class BestPath:
    """The likeliest unit at each step; repeated ones are one, none is none."""

    def __init__(self) -> None:
        self.steps = 0
        self.lasting: Said | None = None
        """A unit that may go on."""

    def read(self, scores: Tensor) -> list[Said]:
        none, found = scores.shape[1] - 1, []
        shares, units = (each.tolist() for each in scores.max(1))
        for step, (unit, share) in enumerate(zip(units, shares, strict=True), self.steps):
            now = self.lasting
            if now is not None and now.unit == unit:
                self.lasting = replace(now, last=step + 1, share=max(now.share, share))
            else:
                found += self.likely
                self.lasting = None if unit == none else Said(unit, step, step + 1, share)
        self.steps += len(units)
        return found

    @property
    def likely(self) -> list[Said]:
        return [] if self.lasting is None else [self.lasting]


class Scribe:
    """Units to words as they come.

    Args:
        tokenizer: What the units are.
        seconds: Of a step.
        start: The second of the first step.
    """

    def __init__(self, tokenizer: Tokenizer, seconds: float, start: float = 0.0) -> None:
        self.tokenizer, self.seconds, self.start = tokenizer, seconds, start
        self.decoder = tokenizer.decoder()
        self.text = ""
        """Of a word that is not complete."""
        self.units: tuple[Said, ...] = ()
        """Those of them that are seen."""

    def put(self, said: Sequence[Said]) -> list[Word]:
        """The next units -> words that are complete now."""
        return [word for one in said for word in self._put(one)]

    def end(self, said: Sequence[Said] = ()) -> list[Word]:
        """All words that are still to come, if these units are the last; what comes next is not bound to that."""
        other = copy(self)
        other.decoder = deepcopy(self.decoder)
        return [*other.put(said), *other._word()]

    def _put(self, one: Said) -> Iterator[Word]:
        """A word goes from its first unit to its last."""
        piece = next(self.tokenizer.stream([one.unit], self.decoder), "")
        if piece[:1].isspace() or self.tokenizer.units == "word":
            yield from self._word()
        self.text += piece
        self.units += (one,) if piece.strip() or not piece else ()
        if piece[-1:].isspace():
            yield from self._word()

    def _word(self) -> Iterator[Word]:
        text, said = self.text.strip(), self.units
        if text:
            self.text, self.units = "", ()
            start, end = (self.start + step * self.seconds for step in (said[0].first, said[-1].last))
            yield Word(text, round(start, 3), round(end, 3), round(exp(min(one.share for one in said)), 4))


def transcript(scores: Tensor, decoding: Decoding, scribe: Scribe) -> Transcript:
    """What is said in steps (S, V + 1) of logarithms of probabilities, none last."""
    words = scribe.put(decoding.read(scores))
    return Transcript.of(words + scribe.end(decoding.likely))
