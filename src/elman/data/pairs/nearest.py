"""The text of a collection that is most like another one: what a translation model must beat is to copy its pair.

Texts are alike when they share rare words: the cosine of their tf-idf vectors (Salton and Buckley 1988), found through
an inverted index.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from elman.data.units.words import words
from elman.errors import DataError


class Nearest:
    """Finds the source that is most like a text.

    Args:
        sources: The collection, such as the sources of all training pairs.

    Raises:
        DataError: There is no source.

    Example:
        >>> nearest = Nearest(["a dog runs", "a black cat sleeps", "two men talk"])
        >>> nearest.find("The cat is black.")
        1
    """

    def __init__(self, sources: Sequence[str]) -> None:
        if not sources:
            raise DataError("sources has no text to be near to; expected at least one; check the training pairs")
        self.size = len(sources)
        self.numbers: dict[str, int] = {}
        postings = [
            (self.numbers.setdefault(word, len(self.numbers)), source, count)
            for source, text in enumerate(sources)
            for word, count in Counter(words(text)).items()
        ]
        table = np.array(postings, dtype=np.int64).reshape(-1, 3)
        word, self.sources, count = table[table[:, 0].argsort(kind="stable")].T
        frequency = np.bincount(word, minlength=len(self.numbers))
        self.rarity = 1 + np.log((1 + self.size) / (1 + frequency))
        self.ends = np.cumsum(frequency)
        self.starts = self.ends - frequency
        weights = (1 + np.log(count)) * self.rarity[word]
        lengths = np.sqrt(np.bincount(self.sources, weights**2, minlength=self.size))
        self.weights = weights / lengths[self.sources]

    def find(self, text: str) -> int:
        """The index of the nearest source: the first of equals, and 0 where no word is shared."""
        scores = np.zeros(self.size)
        for word, count in Counter(words(text)).items():
            number = self.numbers.get(word)
            if number is not None:
                postings = slice(self.starts[number], self.ends[number])
                scores[self.sources[postings]] += (1 + np.log(count)) * self.rarity[number] * self.weights[postings]
        return int(scores.round(9).argmax())  # equals stay equal whatever order their words were added in
