"""A sequence read, and something said about the whole of it.

Key: T time, B batch, F features, C numbers in an answer, W words of a sentence, N sentences.
"""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from elman.layers import Embedding, Factory, HierarchicalAttention, Pooling, PoolingName, Recurrent, drop_features
from elman.models.bodies import Body
from elman.models.reader import Reader

SMALL = 0.1
"""The deviation of the numbers in units' vectors at first."""


class Classifier(Reader):
    """A recurrent body, its steps pooled, and a linear layer.

    Args:
        embedding: Vectors of units, or what makes vectors of frames; None for sequences of numbers.
        body: What reads the vectors.
        outputs: C.
        pooling: How steps become one vector.
        input_dropout: Share of the vectors' features dropped.
        output_dropout: Share of the pooled features dropped.
        variational: One mask for all steps of a sequence, where vectors are dropped.
        noise: As in `Reader`.
        masks: The same.
    """

    def __init__(
        self,
        embedding: nn.Module | None,
        body: Recurrent | Body,
        outputs: int,
        pooling: PoolingName = "last",
        *,
        input_dropout: float = 0.0,
        output_dropout: float = 0.0,
        variational: bool = False,
        noise: float = 0.0,
        masks: int = 0,
    ) -> None:
        super().__init__(
            embedding, body, input_dropout=input_dropout, variational=variational, noise=noise, masks=masks
        )
        if isinstance(embedding, Embedding):
            nn.init.normal_(embedding.weight, std=SMALL)
        self.pooling = Pooling(pooling, body.output_size, body.directions)
        self.dropout = nn.Dropout(output_dropout)
        self.output = nn.Linear(self.pooling.output_size, outputs)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """(T, B) unit numbers, (T, B, F) or what the embedding reads -> (B, C)."""
        steps, _ = self.vectors(x, lengths=lengths)
        return self.output(self.dropout(self.pooling(steps, lengths)))


class DocumentClassifier(nn.Module):
    """Words read to sentences, and sentences to a document (Yang et al. 2016).

    Args:
        embedding: Vectors of units.
        cell: A class or factory of cells, for words and for sentences.
        hidden_size: Of each direction of both networks.
        outputs: C.
        ends: Numbers of the units that end a sentence.
        input_dropout: Share of the vectors' features dropped.
        output_dropout: Share of the document's features dropped.
        variational: One mask for all words of a sentence.
    """

    def __init__(
        self,
        embedding: Embedding,
        cell: Factory,
        hidden_size: int,
        outputs: int,
        ends: Sequence[int],
        *,
        input_dropout: float = 0.0,
        output_dropout: float = 0.0,
        variational: bool = False,
    ) -> None:
        super().__init__()
        self.embedding = embedding
        nn.init.normal_(embedding.weight, std=SMALL)
        self.input_dropout, self.variational = input_dropout, variational
        self.ends = frozenset(ends)
        self.document = HierarchicalAttention(embedding.embedding_dim, hidden_size, hidden_size, cell)
        self.dropout = nn.Dropout(output_dropout)
        self.output = nn.Linear(self.document.output_size, outputs)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """(T, B) unit numbers -> (B, C)."""
        documents = [cut_sentences(row[:length], self.ends) for row, length in zip(x.t(), lengths, strict=True)]
        sentences = [sentence for document in documents for sentence in document]
        words = self.embedding(pad_sequence(sentences))
        words = drop_features(words, self.input_dropout, training=self.training, per_sequence=self.variational)
        word_lengths = torch.tensor([len(sentence) for sentence in sentences])
        found = self.document(words, word_lengths, torch.tensor([len(document) for document in documents]))
        return self.output(self.dropout(found))


def cut_sentences(units: Tensor, ends: frozenset[int]) -> list[Tensor]:
    """Units (T,) cut behind each that ends a sentence.

    >>> [part.tolist() for part in cut_sentences(torch.tensor([5, 1, 6, 7, 1, 8]), frozenset([1]))]
    [[5, 1], [6, 7, 1], [8]]
    """
    places = [place + 1 for place, unit in enumerate(units.tolist()) if unit in ends]
    cuts = [0, *places, *([len(units)] if not places or places[-1] < len(units) else [])]
    return [units[first:last] for first, last in itertools.pairwise(cuts)]
