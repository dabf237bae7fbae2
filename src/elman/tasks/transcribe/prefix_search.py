"""The likeliest text, with all ways to say it counted together, and with what a language model expects of it.

CTC prefix beam search: Hannun, Maas, Jurafsky and Ng 2014, "First-pass large vocabulary continuous speech recognition
using bi-directional recurrent DNNs".

Key: S steps, V units.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from heapq import nlargest
from itertools import chain
from math import exp, inf, log, log1p
from typing import Any
from weakref import WeakValueDictionary

from torch import Tensor

from elman.data import Tokenizer
from elman.tasks.transcribe.language import Expected, Language
from elman.tasks.transcribe.transcript import Said

LEAST = log(1e-4)
"""Units that are less probable at a step are not thought of there."""
SETTLE = 32
"""Steps after which is looked for what all texts begin with."""


@dataclass(eq=False, slots=True)
class Way:
    """One way to say a text: its last unit, and the way before that."""

    before: "Way | None"
    said: Said
    count: int
    """Units."""


@dataclass(eq=False, slots=True)
class Ending:
    """All ways to say a text that end alike."""

    total: float = -inf
    """The logarithm of their probability."""
    best: float = -inf
    """That of the likeliest one."""
    way: Way | None = None
    """Which that is; None where there are no units."""

    def add(self, total: float, best: float, way: Way | None) -> None:
        """More ways, and the likeliest of them."""
        self.total = either(self.total, total)
        if best > self.best:
            self.best, self.way = best, way


@dataclass(eq=False, slots=True, weakref_slot=True)
class Text:
    """A beginning of what may have been said."""

    unit: int
    """The last one; -1 where there is none."""
    before: "Text | None" = None
    count: int = 0
    """Units."""
    words: int = 0
    inside: bool = False
    """Does it end within a word?"""
    language: float = 0.0
    """The logarithm of how probable a language model finds it."""
    expected: Expected | None = None
    silent: Ending = field(default_factory=Ending)
    """Ways whose last step says nothing."""
    spoken: Ending = field(default_factory=Ending)
    """Ways whose last step says the last unit."""
    longer: "WeakValueDictionary[int, Text]" = field(default_factory=WeakValueDictionary)
    """Texts with a unit more, as long as somebody thinks of them."""

    @property
    def total(self) -> float:
        """The logarithm of the probability of all ways."""
        return either(self.silent.total, self.spoken.total)

    @property
    def likeliest(self) -> Ending:
        """The ending of the likeliest way."""
        return max(self.silent, self.spoken, key=lambda ending: ending.best)

    @property
    def line(self) -> Iterator["Text"]:
        """This text, and those that it goes on from."""
        text: Text | None = self
        while text is not None:
            yield text
            text = text.before


class PrefixSearch:
    """Keeps the best beginnings of a text, step by step; what all of them begin with is certain.

    Args:
        tokenizer: What the units are.
        beam: Beginnings that are kept.
        language: What expects units.
        language_weight: What its logarithms of probabilities count beside those of the sound.
        word_bonus: Added for each word.
        least: Units whose logarithm of probability is less at a step are not thought of there.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        beam: int,
        language: Language | None = None,
        language_weight: float = 0.0,
        word_bonus: float = 0.0,
        *,
        least: float = LEAST,
    ) -> None:
        self.pieces, self.by_word = tokenizer.pieces(range(len(tokenizer))), tokenizer.units == "word"
        self.beam, self.least = beam, least
        self.language, self.language_weight, self.word_bonus = language, language_weight, word_bonus
        first = Text(-1, expected=None if language is None else language.begin())
        first.silent.add(0.0, 0.0, None)
        self.texts = [first]
        """The best ones, the very best first."""
        self.steps = self.given = 0
        """How many steps were read; and units that were given out."""

    def read(self, scores: Tensor) -> list[Said]:
        found: list[Said] = []
        thought_of: list[list[int]] = [[] for _ in scores]
        for step, unit in (scores[:, :-1] > self.least).nonzero().tolist():
            thought_of[step].append(unit)
        for row, units in zip(scores.double().numpy(), thought_of, strict=True):
            self._step(row, units)
            self.steps += 1
            if not self.steps % SETTLE:
                found += self._settle()
        return found

    @property
    def likely(self) -> list[Said]:
        found, way = [], self.texts[0].likeliest.way
        while way is not None and way.count > self.given:
            found.append(way.said)
            way = way.before
        return found[::-1]

    def score(self, text: Text, total: float) -> float:
        """How good a text is."""
        return total + self.language_weight * text.language + self.word_bonus * text.words

    def _step(self, row: Any, units: Sequence[int]) -> None:
        """Every text stays as it is, and grows by each of the units; the best of these are kept.

        Args:
            row: (V + 1,), logarithms of probabilities, nothing last.
            units: Those to think of.
        """
        grown: dict[Text, tuple[Ending, Ending]] = {}

        def endings(text: Text) -> tuple[Ending, Ending]:
            if text not in grown:
                grown[text] = Ending(), Ending()
            return grown[text]

        nothing = row.item(-1)
        for text in self.texts:
            total, likeliest = text.total, text.likeliest
            silent, spoken = endings(text)
            silent.add(total + nothing, likeliest.best + nothing, likeliest.way)
            if text.spoken.total > -inf:
                share = row.item(text.unit)
                spoken.add(text.spoken.total + share, text.spoken.best + share, self._lasting(text.spoken.way, share))
            for unit in units:
                again = unit == text.unit  # comes a second time only behind a step of nothing
                source, before = (text.silent.total, text.silent) if again else (total, likeliest)
                longer = self._longer(text, unit) if source > -inf else None
                if longer is not None:
                    share = row.item(unit)
                    way = Way(before.way, Said(unit, self.steps, self.steps + 1, share), longer.count)
                    endings(longer)[1].add(source + share, before.best + share, way)
        self._keep(grown)

    def _lasting(self, way: Way | None, share: float) -> Way | None:
        """A way whose last unit is said at this step too."""
        if way is None:
            return None
        said = replace(way.said, last=self.steps + 1, share=max(way.said.share, share))
        return Way(way.before, said, way.count)

    def _longer(self, text: Text, unit: int) -> Text | None:
        """The text with a unit more; None where a language model knows that it cannot be."""
        found = text.longer.get(unit)
        if found is None:
            expected = 0.0 if text.expected is None else text.expected.shares.item(unit)
            if expected == -inf:
                return None
            piece = self.pieces[unit]
            begins = self.by_word or (bool(piece.strip()) and (not text.inside or piece[0].isspace()))
            inside = not piece[-1:].isspace() if piece else text.inside
            language = text.language + expected
            found = Text(unit, text, text.count + 1, text.words + begins, inside, language)
            text.longer[unit] = found
        return found

    def _keep(self, grown: dict[Text, tuple[Ending, Ending]]) -> None:
        """Go on with the best."""
        for text, endings in grown.items():
            text.silent, text.spoken = endings
        self.texts = nlargest(self.beam, grown, key=lambda text: self.score(text, text.total))
        new = [text for text in self.texts if text.expected is None]
        if self.language is not None and new:
            behind = [text.before.expected for text in new if text.before is not None and text.before.expected]
            found = self.language.follow(behind, [text.unit for text in new])
            for text, expected in zip(new, found, strict=True):
                text.expected = expected

    def _settle(self) -> list[Said]:
        """Units that all texts have, but for the last one, which may still go on; what lies behind is forgotten."""
        common = reduce(set.intersection, ({*text.line} for text in self.texts))
        root = next(text for text in self.texts[0].line if text in common)
        count = root.count - 1
        if count <= self.given:
            return []
        found = self.likely[: count - self.given]
        for ending in chain.from_iterable((text.silent, text.spoken) for text in self.texts):
            way = ending.way
            while way is not None and way.count > count + 1:
                way = way.before
            if way is not None:
                way.before = None
        self.given, root.before = count, None
        return found


def either(first: float, second: float) -> float:
    """The logarithm of the sum of two numbers, from theirs.

    >>> round(exp(either(log(0.25), log(0.5))), 6)
    0.75
    """
    more, less = (first, second) if first > second else (second, first)
    return more if less == -inf else more + log1p(exp(less - more))
