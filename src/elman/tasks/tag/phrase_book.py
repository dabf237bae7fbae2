"""What a list of phrases finds in texts: a tagger that learns nothing, to compare with."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from elman.data import Sentence, Span, bioes, spans_of

SEPARATOR = " "


class PhraseBook:
    """The commonest tag of each word of the training, or the commonest name of each stretch of words.

    Args:
        names: Of phrases, words with a space between two.
        otherwise: The tag of a word that has none.
        spans: Are the phrases stretches of words?

    Example:
        >>> book = PhraseBook({"New York": "LOC", "York": "ORG"}, "O", spans=True)
        >>> book.tags(["in", "New", "York"])
        ['O', 'B-LOC', 'E-LOC']
    """

    def __init__(self, names: dict[str, str], otherwise: str, *, spans: bool) -> None:
        self.names, self.otherwise, self.spans = names, otherwise, spans
        self.longest = max((phrase.count(SEPARATOR) + 1 for phrase in names), default=1)

    @classmethod
    def of(cls, sentences: Iterable[Sentence], *, spans: bool) -> "PhraseBook":
        """Made from training sentences."""
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        every: Counter[str] = Counter()
        for one in sentences:
            every.update(one.tags)
            found = spans_of(one.tags) if spans else [Span(n, n + 1, tag) for n, tag in enumerate(one.tags)]
            for start, end, label in found:
                counts[SEPARATOR.join(one.words[start:end])][label] += 1
        names = {phrase: found.most_common(1)[0][0] for phrase, found in counts.items()}
        return cls(names, "O" if spans else every.most_common(1)[0][0], spans=spans)

    def tags(self, words: Sequence[str]) -> list[str]:
        """Of each word; from the left, the longest phrase that is known."""
        if not self.spans:
            return [self.names.get(word, self.otherwise) for word in words]
        spans, step = [], 0
        while step < len(words):
            size = next(
                (n for n in range(self.longest, 0, -1) if SEPARATOR.join(words[step : step + n]) in self.names), 0
            )
            if size:
                size = min(size, len(words) - step)
                spans.append(Span(step, step + size, self.names[SEPARATOR.join(words[step : step + size])]))
            step += max(size, 1)
        return bioes(spans, len(words))

    def as_json(self) -> dict[str, Any]:
        """What `from_json` reads."""
        return {"names": self.names, "otherwise": self.otherwise, "spans": self.spans}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "PhraseBook":
        """What `as_json` gave."""
        return cls(value["names"], value["otherwise"], spans=value["spans"])
