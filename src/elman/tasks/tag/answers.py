"""Texts in, stretches of them out.

Key: T words, B texts, C tags.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from elman.data import OUTSIDE, Sentence, Span, TagBatch, Word, split_words
from elman.errors import DataError, OptionError
from elman.layers import FORBIDDEN
from elman.models import Tagger
from elman.tasks.tag.tags import Tags

STAR = "*"
"""Stands on both sides of a predicate."""


@dataclass(frozen=True)
class Asked:
    """A text that is to be tagged."""

    text: str
    words: Sequence[Word]
    marks: tuple[bool, ...] | None
    """Which word is the predicate."""

    @classmethod
    def of(cls, text: Any, place: str, *, marked: bool) -> "Asked":
        """Cut a text into words.

        Args:
            text: Where `marked`, with stars around its predicate.
            place: What to call it in an error.
            marked: Are there roles to be found?

        Raises:
            DataError: There are no words; or no stars where there should be some.
        """
        words, marks = split_words(text) if isinstance(text, str) else [], None
        if marked:
            words, marks = _unstarred(words, place)
        if not words:
            raise DataError(f"{place} has no words; expected a text; received {text!r}")
        return cls(text, words, marks)

    def sentence(self) -> Sentence:
        """As a tagger reads it."""
        return Sentence(tuple(word.text for word in self.words), (OUTSIDE,) * len(self.words), self.marks)

    def shown(self, span: Span) -> dict[str, Any]:
        """A stretch, ready for JSON; places are those of characters."""
        start, end = self.words[span.start].start, self.words[span.end - 1].end
        return {"start": start, "end": end, "label": span.label, "text": self.text[start:end]}


def _unstarred(words: list[Word], place: str) -> tuple[list[Word], tuple[bool, ...]]:
    """Words without the stars around the predicate, and which word it is."""
    stars = [step for step, word in enumerate(words) if word.text == STAR]
    if len(stars) != 2 or stars[1] != stars[0] + 2:
        raise DataError(f"{place} expects stars around its predicate, such as: She *gave* him a book")
    kept = [word for word in words if word.text != STAR]
    return kept, tuple(step == stars[0] for step in range(len(kept)))


class Answers:
    """What a tagger says of a batch of texts.

    Args:
        network: The tagger.
        tags: Its tags.
        batch: The texts.
    """

    def __init__(self, network: Tagger, tags: Tags, batch: TagBatch) -> None:
        self.network, self.tags, self.lengths = network, tags, batch.lengths
        self.scores = network(batch)

    def best(self, asked: Sequence[Asked], *, sure: bool) -> list[list[dict[str, Any]]]:
        """The stretches of each text; with how probable each is, if that is wanted."""
        rows = self.tags.named(self.network.best(self.scores, self.lengths), self.lengths)
        found = [self.tags.stretches(row) for row in rows]
        answers = [[one.shown(span) for span in spans] for one, spans in zip(asked, found, strict=True)]
        if sure:
            steps = [(column, span, rows[column]) for column, spans in enumerate(found) for span in spans]
            shares = self._probabilities(steps)
            for shown, share in zip((one for answer in answers for one in answer), shares, strict=True):
                shown["probability"] = round(share, 4)
        return answers

    def several(self, asked: Sequence[Asked], count: int) -> list[list[dict[str, Any]]]:
        """Several ways to tag each text, the best first, each with its probability.

        Raises:
            OptionError: The tagger has no chain of tags.
        """
        if self.network.crf is None:
            raise OptionError("n_best expects a model with a chain of tags; train one with crf, or leave n_best away")
        paths = self.network.crf.best(self.scores, self.lengths, count)
        shares = (paths.scores - self.network.crf.of_all(self.scores, self.lengths)).exp()
        answers: list[list[dict[str, Any]]] = [[] for _ in asked]
        for labels, of_path in zip(paths.labels, shares.tolist(), strict=True):
            rows = self.tags.named(labels, self.lengths)
            for answer, one, row, share in zip(answers, asked, rows, of_path, strict=True):
                if share > 0:
                    spans = [one.shown(span) for span in self.tags.stretches(row)]
                    answer.append({"probability": round(share, 4), "spans": spans})
        return answers

    def _probabilities(self, steps: list[tuple[int, Span, list[str]]]) -> list[float]:
        """How probable it is that the words of each stretch have just these tags, whatever the others have."""
        if not steps:
            return []
        columns = torch.tensor([column for column, _, _ in steps])
        forced = self.scores[:, columns].clone()
        for number, (_, (start, end, _), row) in enumerate(steps):
            for step in range(start, end):
                others = torch.ones(len(self.tags), dtype=torch.bool)
                others[self.tags.numbers[row[step]]] = False
                forced[step, number].masked_fill_(others, FORBIDDEN)
        some, every = (
            self.network.of_all(scores, lengths)
            for scores, lengths in ((forced, self.lengths[columns]), (self.scores, self.lengths))
        )
        return (some - every[columns]).exp().tolist()
