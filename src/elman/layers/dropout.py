"""Dropout whose mask stays the same over a sequence, or over all occurrences of a word.

Gal and Ghahramani 2016, "A theoretically grounded application of dropout in recurrent neural networks";
the embedding's form as in Merity, Keskar and Socher 2017.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from elman.layers.wrappers import check_probability


def sequence_dropout(x: Tensor, p: float) -> Tensor:
    """Drop the same features at every step of a sequence.

    Args:
        x: (T, B, F).
        p: Share of features to drop; the others grow by 1 / (1 - p).

    Raises:
        OptionError: The share is outside [0, 1).

    Example:
        >>> import torch
        >>> y = sequence_dropout(torch.ones(7, 2, 5), 0.5)
        >>> bool((y == y[0]).all())
        True
    """
    check_probability("p of sequence_dropout", p)
    mask = x.new_empty(1, *x.shape[1:]).bernoulli_(1 - p).div_(1 - p)
    return x * mask


def drop_features(x: Tensor, p: float, *, training: bool, per_sequence: bool) -> Tensor:
    """Dropout on (T, B, F) in training: a new mask at every step, or one for each sequence."""
    if not training or p == 0:
        return x
    return sequence_dropout(x, p) if per_sequence else F.dropout(x, p)


class Embedding(nn.Embedding):
    """Vectors for token numbers; in training whole words can be dropped, each everywhere at once.

    Args:
        vocabulary: V, how many tokens there are.
        width: E, numbers in a vector.
        word_dropout: Share of the vocabulary that reads as zeros during a training call.

    Raises:
        OptionError: The share is outside [0, 1).
    """

    def __init__(self, vocabulary: int, width: int, word_dropout: float = 0.0) -> None:
        super().__init__(vocabulary, width)
        check_probability("word_dropout", word_dropout)
        self.word_dropout = word_dropout

    def forward(self, input: Tensor) -> Tensor:
        """Token numbers (T, B) -> (T, B, E)."""
        vectors = super().forward(input)
        if not self.training or self.word_dropout == 0:
            return vectors
        keep = vectors.new_empty(self.num_embeddings, 1).bernoulli_(1 - self.word_dropout)
        return vectors * keep[input].div(1 - self.word_dropout)
