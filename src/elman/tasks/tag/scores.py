"""How good tags are: stretches as conlleval counts them, and words."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from elman.data import spans_of


@dataclass(frozen=True)
class Found:
    """How many stretches of a name there are, how many were given, and how many of those are right."""

    right: int
    given: int
    wanted: int

    @property
    def precision(self) -> float:
        """Share of those given that are right."""
        return self.right / max(1, self.given)

    @property
    def recall(self) -> float:
        """Share of those wanted that were given."""
        return self.right / max(1, self.wanted)

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        return 2 * self.right / max(1, self.given + self.wanted)


def span_scores(answers: Sequence[Sequence[str]], references: Sequence[Sequence[str]]) -> dict[str, Found]:
    """Of each name, and of all under "".

    A stretch is right if its name and both its ends are, as in Tjong Kim Sang and De Meulder 2003.

    Example:
        >>> span_scores([["B-PER", "O", "B-LOC"]], [["B-PER", "O", "B-ORG"]])[""].f1
        0.5
    """
    counts = [Counter[str]() for _ in range(3)]
    for answer, reference in zip(answers, references, strict=True):
        given, wanted = set(spans_of(answer)), set(spans_of(reference))
        for count, spans in zip(counts, (given & wanted, given, wanted), strict=True):
            for span in spans:
                count.update((span.label, ""))
    names = sorted(set().union(*counts) | {""})
    return {name: Found(*(count[name] for count in counts)) for name in names}


def accuracy(answers: Sequence[Sequence[str]], references: Sequence[Sequence[str]]) -> float:
    """Share of words whose tag is right.

    Example:
        >>> accuracy([["NOUN", "VERB"]], [["NOUN", "ADJ"]])
        0.5
    """
    pairs = [pair for both in zip(answers, references, strict=True) for pair in zip(*both, strict=True)]
    return sum(a == b for a, b in pairs) / max(1, len(pairs))
