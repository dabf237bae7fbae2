"""The tags that there are, and what they say together: stretches of words, or each word by itself.

Key: T words, B sentences, C tags.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from elman.data import OUTSIDE, Span, may_follow, spans_of
from elman.layers import CRF


class Tags:
    """Tags and their numbers.

    Args:
        names: All of them, in the order of their numbers.
        spans: Do they stand for stretches of words?
    """

    def __init__(self, names: Sequence[str], *, spans: bool) -> None:
        self.names, self.spans = list(names), spans
        self.numbers = {name: number for number, name in enumerate(self.names)}

    def __len__(self) -> int:
        return len(self.names)

    def chain(self) -> CRF:
        """A chain that knows which of them may follow each other."""
        if not self.spans:
            return CRF(len(self))
        allowed = torch.tensor([[may_follow(before, name) for name in self.names] for before in self.names])
        first = torch.tensor([may_follow(OUTSIDE, name) for name in self.names])
        last = torch.tensor([may_follow(name, OUTSIDE) for name in self.names])
        return CRF(len(self), allowed, first, last)

    def named(self, labels: Tensor, lengths: Tensor) -> list[list[str]]:
        """Numbers (T, B) in words, sentence by sentence."""
        rows = zip(labels.t().tolist(), lengths.tolist(), strict=True)
        return [[self.names[number] for number in row[:length]] for row, length in rows]

    def stretches(self, row: Sequence[str]) -> list[Span]:
        """What the tags of a sentence say: stretches, or each word by itself."""
        return spans_of(row) if self.spans else [Span(n, n + 1, name) for n, name in enumerate(row)]
