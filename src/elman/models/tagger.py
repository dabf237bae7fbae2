"""A tag for every word: words and their letters read in both directions, and a chain of tags over them.

Huang, Xu and Yu 2015; letters as Lample et al. 2016.

Key: T words, B sentences, C tags, E width of a word's vector, L letters, U different words.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.data import IGNORE, TagBatch
from elman.engine import without_padding
from elman.layers import CRF, Embedding, Factory, Recurrent
from elman.models.bodies import Body
from elman.models.reader import Reader

PAIRS = 2**16
"""Vectors that all pairs of words share."""


class WordVectors(nn.Module):
    """What is known of each word: vectors of its own and of it with the one before, its letters, whether it is marked.

    Args:
        words: How many words are known.
        letters: How many letters are known.
        cell: A class or factory of the cells that read letters.
        word_size: Width of a word's own vector.
        letter_size: Width of a letter's vector; 0 reads no letters.
        spelling_size: Of each direction of the network that reads letters.
        mark_size: Width of what tells marked words from others; 0 leaves it away.
        pair_size: Width of the vector of a word with the one before it; 0 leaves it away. All pairs share `PAIRS`
            vectors, many of them the same one (Weinberger et al. 2009).
        word_dropout: Share of the words that read as zeros in a training call.
    """

    def __init__(
        self,
        words: int,
        letters: int,
        cell: Factory,
        *,
        word_size: int,
        letter_size: int = 0,
        spelling_size: int = 0,
        mark_size: int = 0,
        pair_size: int = 0,
        word_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.words = Embedding(words, word_size, word_dropout)
        nn.init.normal_(self.words.weight, std=0.1)
        self.letters = self.spelling = self.marks = self.pairs = None
        if letter_size:
            self.letters = Embedding(letters, letter_size)
            self.spelling = Recurrent(cell, letter_size, spelling_size, bidirectional=True, output_at="last step")
        if mark_size:
            self.marks = Embedding(2, mark_size)
        if pair_size:
            self.pairs = Embedding(PAIRS, pair_size, word_dropout)
            nn.init.normal_(self.pairs.weight, std=0.1)
        self.output_size = word_size + (2 * spelling_size if letter_size else 0) + mark_size + pair_size

    def forward(self, batch: TagBatch) -> Tensor:
        """(T, B, E)."""
        found = [self.words(batch.words)]
        if self.spelling is not None and self.letters is not None:
            spelled, _ = self.spelling(self.letters(batch.spellings), lengths=batch.spelling_lengths)
            found.append(F.embedding(batch.spelled, spelled))
        if self.marks is not None:
            found.append(self.marks(batch.marks))
        if self.pairs is not None:
            found.append(self.pairs(pair_numbers(batch.words)))
        return torch.cat(found, dim=2)


class Tagger(Reader):
    """Words read by a recurrent body, a score for every tag, and a chain that knows which tags follow each other.

    Args:
        vectors: Of words.
        body: What reads them.
        labels: C.
        crf: The chain; without it each tag is chosen by itself.
        input_dropout: As in `Reader`.
        output_dropout: As in `Reader`.
        variational: As in `Reader`.
    """

    def __init__(
        self,
        vectors: WordVectors,
        body: Recurrent | Body,
        labels: int,
        crf: CRF | None,
        *,
        input_dropout: float = 0.0,
        output_dropout: float = 0.0,
        variational: bool = False,
    ) -> None:
        super().__init__(
            vectors, body, input_dropout=input_dropout, output_dropout=output_dropout, variational=variational
        )
        self.output = nn.Linear(body.output_size, labels)
        self.crf = crf

    @property
    def units(self) -> Embedding:
        """The vectors of words."""
        assert isinstance(self.embedding, WordVectors)
        return self.embedding.words

    def forward(self, batch: TagBatch) -> Tensor:
        """Scores (T, B, C)."""
        steps, _ = self.vectors(batch, lengths=batch.lengths)
        return self.output(steps)

    def loss(self, scores: Tensor, batch: TagBatch) -> Tensor:
        """Nats for each word."""
        if self.crf is not None:
            return self.crf.loss(scores, batch.targets, batch.lengths)
        return F.cross_entropy(scores.flatten(0, 1), batch.targets.flatten(), ignore_index=IGNORE)

    def surprise(self, scores: Tensor, batch: TagBatch, teacher: "Tagger") -> Tensor:
        """Nats for each word of the tags that a teacher draws by chance."""
        with torch.no_grad():
            known = teacher(batch)
        if self.crf is not None and teacher.crf is not None:
            return self.crf.surprise(scores, batch.lengths, teacher.crf.expected(known, batch.lengths))
        return F.cross_entropy(scores[batch.targets != IGNORE], known[batch.targets != IGNORE].softmax(-1))

    def of_all(self, scores: Tensor, lengths: Tensor) -> Tensor:
        """The logarithm of the sum over all ways to tag a sentence of their scores' exponentials, (B,)."""
        if self.crf is not None:
            return self.crf.of_all(scores, lengths)
        return without_padding(scores.logsumexp(2), lengths).sum(0)

    def best(self, scores: Tensor, lengths: Tensor) -> Tensor:
        """The best tags (T, B)."""
        return scores.argmax(2) if self.crf is None else self.crf.best(scores, lengths).labels[0]


def pair_numbers(words: Tensor) -> Tensor:
    """Numbers below `PAIRS` of words (T, B), each with the one before it; the first ones stand behind none.

    Multiplied and cut as Knuth 1998, 6.4, so that pairs spread evenly.

    Example:
        >>> pair_numbers(torch.tensor([[5], [5], [5]])).flatten().unique().numel()
        2
    """
    before = F.pad(words[:-1], (0, 0, 1, 0), value=-1) + 1
    mixed = (before * 0x9E3779B1 + words) & 0xFFFFFFFF
    return (((mixed ^ (mixed >> 15)) * 0x85EBCA6B) & 0xFFFFFFFF) >> 16
