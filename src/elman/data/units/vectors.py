"""Vectors of words that others have trained, in the text form of word2vec and GloVe."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from elman.data.files import read_text
from elman.errors import DataError


@dataclass(frozen=True)
class WordTable:
    """Words and their vectors."""

    words: Sequence[str]
    vectors: Tensor
    """(words, E)."""

    def put_into(self, weight: Tensor, numbers: Mapping[str, int]) -> None:
        """Write vectors to the rows (V, E) of words that have numbers."""
        places = [place for place, word in enumerate(self.words) if word in numbers]
        with torch.no_grad():
            weight[[numbers[self.words[place]] for place in places]] = self.vectors[places]

    def note(self, name: str | None, numbers: Mapping[str, int]) -> str:
        """How many words have a vector."""
        return (
            f"{sum(word in numbers for word in self.words):,} of {len(numbers):,} known words have a vector in {name}"
        )


def read_vectors(path: Path, width: int) -> WordTable:
    """Vectors from a text file: a word and its numbers on each line, with spaces between; plain or .gz.

    A first line with two numbers, how many words and how wide, is passed over; of a word that comes twice the first
    counts.

    Args:
        path: The file.
        width: Numbers that a vector should have.

    Raises:
        DataError: The file cannot be read, or a line is of another form.
    """
    found: dict[str, np.ndarray] = {}
    for number, line in enumerate(read_text(path).split("\n"), 1):
        cells = line.rstrip().rsplit(" ", width)
        if not line.strip() or (number == 1 and len(line.split()) == 2):
            continue
        try:
            vector = np.array(cells[1:], dtype=np.float32)
        except ValueError:
            vector = np.zeros(0, np.float32)
        if len(vector) != width or not np.isfinite(vector).all() or not cells[0].strip():
            raise DataError(
                f"{path} line {number:,} expects a word and {width} numbers, the embedding_size; received "
                f"{line[:40]!r}, {len(line.split())} parts; take another embedding_size, or mend the file"
            )
        found.setdefault(cells[0].strip(), vector)
    if not found:
        raise DataError(f"{path} has no vectors; expected lines of a word and {width} numbers")
    return WordTable(list(found), torch.from_numpy(np.stack(list(found.values()))))
