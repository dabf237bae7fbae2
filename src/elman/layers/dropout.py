"""Dropout whose mask stays the same over a sequence, or over all occurrences of a word.

Gal and Ghahramani 2016, "A theoretically grounded application of dropout in recurrent neural networks";
the embedding's form as in Merity, Keskar and Socher 2017.
"""

import torch
from torch import Tensor, nn

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
    return x * _mask(x[:1], p)


def drop_features(x: Tensor, p: float, *, training: bool, per_sequence: bool) -> Tensor:
    """Dropout on (T, B, F) in training: a new mask at every step, or one for each sequence."""
    if not training or p == 0:
        return x
    return sequence_dropout(x, p) if per_sequence else x * _mask(x, p)


def _mask(like: Tensor, p: float) -> Tensor:
    """Zeros with probability p, and otherwise what makes their mean one.

    On a processor one number of 64 bits decides for two features, in a third of the time of drawing one for each.
    """
    if like.device.type != "cpu":
        return torch.empty_like(like).bernoulli_(1 - p).div_(1 - p)
    bits = torch.empty((like.numel() + 1) // 2, dtype=torch.long).random_(-(1 << 63), None).view(torch.int32)
    kept = bits[: like.numel()] >= int(p * (1 << 32)) - (1 << 31)
    return kept.view(like.shape).to(like.dtype).div_(1 - p)


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
