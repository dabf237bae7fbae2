"""The settings of networks that read words, whose vectors others may have trained."""

from pathlib import Path
from typing import ClassVar

from elman.data import WordTable, read_vectors
from elman.tasks.body_options import BodyOptions


class WordOptions(BodyOptions):
    """What is known of words before training."""

    reading: ClassVar[tuple[str, ...]] = ("vectors",)

    vectors: str | None = None
    """A file with vectors of words, of embedding_size numbers each, in the text form of word2vec or GloVe."""

    def table(self) -> WordTable | None:
        """The vectors, where there is a file of them.

        Raises:
            DataError: It cannot be used.
        """
        return None if self.vectors is None else read_vectors(Path(self.vectors), self.embedding_size)
