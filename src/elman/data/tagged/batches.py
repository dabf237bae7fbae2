"""Batches of sentences, a tag for each word; words come as numbers, and letter by letter.

Key: T words of the longest sentence, B sentences, U different words in a batch, L letters of the longest of them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from elman.data.batch import TensorBatch
from elman.data.rows_by_length import RowsByLength
from elman.data.sequences import padded
from elman.data.tagged.tagged import Sentence
from elman.data.units.vocabulary import UNKNOWN, Vocabulary
from elman.data.windows import IGNORE
from elman.errors import DataError

DIGIT = re.compile(r"\d")
LONGEST = 24
"""Letters of a word that are read."""


@dataclass(frozen=True)
class TagBatch(TensorBatch):
    """What a tagger reads, and what it should say."""

    words: Tensor
    """(T, B)."""
    lengths: Tensor
    """(B,)."""
    spellings: Tensor
    """(L, U), letters of words."""
    spelling_lengths: Tensor
    """(U,)."""
    spelled: Tensor
    """(T, B), which of the U words stands where."""
    marks: Tensor
    """(T, B), 1 where a word is marked."""
    targets: Tensor
    """(T, B), `IGNORE` past each sentence."""
    sentences: tuple[Sentence, ...] = ()
    rows: tuple[int, ...] = ()
    """Which sentences these are."""
    fresh: bool = True
    """Nothing is carried from one batch to the next."""


def plain(word: str) -> str:
    """A word as its number is looked up: small letters, and 0 for every digit (Lample et al. 2016).

    >>> plain("B2B")
    'b0b'
    """
    return DIGIT.sub("0", word.lower())


class TagBatches:
    """Sentences in batches of similar length.

    Args:
        sentences: One or more.
        words: Those known, as they are written or in their `plain` form.
        letters: Those known.
        tags: Numbers of tags; of others the target is `IGNORE`.
        batch_size: Sentences of a batch at most.
        units: Words of a batch at most, padding included.
        rare: Numbers of words that read as unknown in half of all readings, so that something is learned of unknown
            words too.
        name: What to call the sentences in an error.

    Raises:
        DataError: There is none.
    """

    def __init__(
        self,
        sentences: Sequence[Sentence],
        words: Vocabulary,
        letters: Vocabulary,
        tags: dict[str, int],
        batch_size: int | None = None,
        *,
        units: int | None = None,
        rare: frozenset[int] = frozenset(),
        name: str = "the sentences",
    ) -> None:
        if not sentences:
            raise DataError(f"{name} have nothing to read; expected one or more")
        self.sentences, self.letters, self.rare = sentences, letters, rare
        self.words = [torch.tensor([words.of_forms(word, plain(word)) for word in one.words]) for one in sentences]
        self.targets = [torch.tensor([tags.get(tag, IGNORE) for tag in one.tags]) for one in sentences]
        self.rows = RowsByLength(torch.tensor([len(one.words) for one in sentences]), units, batch_size)

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, position: int) -> TagBatch:
        """The batch at a position of an endless reading, epoch after epoch."""
        return self.of(*self.rows.at(position))

    def __iter__(self) -> Iterator[TagBatch]:
        return (self.of(rows) for rows in self.rows)

    def of(self, rows: Sequence[int], epoch: int | None = None) -> TagBatch:
        """A batch of some sentences; with an epoch, rare words are sometimes unknown."""
        sentences = [self.sentences[row] for row in rows]
        different = list(dict.fromkeys(word for one in sentences for word in one.words))
        place = {word: number for number, word in enumerate(different)}
        letters = [torch.tensor([self.letters[letter] for letter in word[:LONGEST]]) for word in different]
        spellings, spelling_lengths = padded(letters)
        words, lengths = padded([self._seen(row, epoch) for row in rows])
        return TagBatch(
            words=words,
            lengths=lengths,
            spellings=spellings,
            spelling_lengths=spelling_lengths,
            spelled=pad_sequence([torch.tensor([place[word] for word in one.words]) for one in sentences]),
            marks=pad_sequence([torch.tensor(one.marks or [False] * len(one.words)).long() for one in sentences]),
            targets=pad_sequence([self.targets[row] for row in rows], padding_value=IGNORE),
            sentences=tuple(sentences),
            rows=tuple(rows),
        )

    def _seen(self, row: int, epoch: int | None) -> Tensor:
        words = self.words[row]
        if epoch is None or not self.rare:
            return words
        random = Random(f"{epoch} {row}")
        hidden = [number in self.rare and random.random() < 0.5 for number in words.tolist()]
        return words.masked_fill(torch.tensor(hidden), UNKNOWN)
