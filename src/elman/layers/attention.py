"""Attention: how much each place of a memory matters to a query, and the memory's mean under these weights.

Scores are small modules that compare queries with keys; what does not hang on the query is prepared once a sequence, so
a decoder pays for the rest only, step by step.

Key: T time of the queries, S time of the memory, B batch, Q query size, M memory size, A size in which both are
compared.
"""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import ClassVar, Literal, overload

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from elman.engine import within, without_padding
from elman.errors import OptionError, ShapeError, check_option
from elman.layers.additive import additive_energies
from elman.layers.cells import Factory, GRUCell
from elman.layers.recurrent import Recurrent
from elman.layers.wrappers import check_probability


class Score(nn.Module):
    """Compares queries with a memory."""

    def keys(self, memory: Tensor) -> Tensor:
        """What queries are compared with: (B, S, M) -> (B, S, A)."""
        return memory

    @abstractmethod
    def forward(self, query: Tensor, keys: Tensor) -> Tensor:
        """(B, T, Q) and (B, S, A) -> (B, T, S)."""


class DotScore(Score):
    """q·m (Luong, Pham and Manning 2015), or scaled by √Q (Vaswani et al. 2017)."""

    def __init__(self, query_size: int, memory_size: int, size: int | None, *, scaled: bool = False) -> None:
        super().__init__()
        if query_size != memory_size:
            raise OptionError(
                f"a dot product needs queries as wide as the memory (={memory_size}); received {query_size}; "
                "try the score general, which has weights in between"
            )
        self.scale = 1 / sqrt(query_size) if scaled else 1.0

    def forward(self, query: Tensor, keys: Tensor) -> Tensor:
        return torch.bmm(query * self.scale, keys.transpose(1, 2))


class GeneralScore(Score):
    """q·(W m), the general score of Luong, Pham and Manning 2015."""

    def __init__(self, query_size: int, memory_size: int, size: int | None) -> None:
        super().__init__()
        self.key = nn.Linear(memory_size, query_size, bias=False)

    def keys(self, memory: Tensor) -> Tensor:
        return self.key(memory)

    def forward(self, query: Tensor, keys: Tensor) -> Tensor:
        return torch.bmm(query, keys.transpose(1, 2))


class AdditiveScore(Score):
    """v·tanh(W q + U m + b) (Bahdanau, Cho and Bengio 2015)."""

    def __init__(self, query_size: int, memory_size: int, size: int | None) -> None:
        super().__init__()
        size = size or query_size
        self.query = nn.Linear(query_size, size, bias=False)
        self.key = nn.Linear(memory_size, size)
        self.energy = nn.Linear(size, 1, bias=False)

    def keys(self, memory: Tensor) -> Tensor:
        return self.key(memory)

    def forward(self, query: Tensor, keys: Tensor) -> Tensor:
        queries = max(1, PAIRS // max(1, keys.numel()))
        parts = [self._compared(part, keys) for part in self._parts(query, queries)]
        return torch.cat(parts, dim=1) if len(parts) > 1 else parts[0]

    def _compared(self, query: Tensor, keys: Tensor) -> Tensor:
        """Energies of all pairs; a single query, as in a step of a cell, shares no exponential with another."""
        if query.shape[1] > 1:
            return additive_energies(query, keys, self.energy.weight[0])
        return self.energy(torch.tanh(query.unsqueeze(2) + keys.unsqueeze(1))).squeeze(3)

    def _parts(self, query: Tensor, count: int) -> Sequence[Tensor]:
        """A few queries at a time, where their pairs with all keys would not fit in memory."""
        return self.query(query).split(count, dim=1) if query.shape[1] > count else (self.query(query),)


class QueryKeyScore(Score):
    """(W_q q + b_q)·(W_k m + b_k): article 4 §3.4."""

    def __init__(self, query_size: int, memory_size: int, size: int | None) -> None:
        super().__init__()
        size = size or query_size
        self.query, self.key = nn.Linear(query_size, size), nn.Linear(memory_size, size)

    def keys(self, memory: Tensor) -> Tensor:
        return self.key(memory)

    def forward(self, query: Tensor, keys: Tensor) -> Tensor:
        return torch.bmm(self.query(query), keys.transpose(1, 2))


PAIRS = 1 << 27
"""Numbers that are compared at once: half a gigabyte in f32."""


ScoreName = Literal["dot", "scaled_dot", "general", "additive", "query_key"]
SCORES: dict[str, Callable[[int, int, int | None], Score]] = {
    "dot": DotScore,
    "scaled_dot": lambda query_size, memory_size, size: DotScore(query_size, memory_size, size, scaled=True),
    "general": GeneralScore,
    "additive": AdditiveScore,
    "query_key": QueryKeyScore,
}


@dataclass(frozen=True)
class Memory:
    """What an attention looks at, prepared once.

    Args:
        keys: (B, S, A), what queries are compared with.
        values: (B, S, V), what is averaged.
        hidden: (B, 1, S), true where there is nothing to see; None where all counts.
        heads: Where there are several, each has a row of its own, those of a sequence one after the other.
    """

    keys: Tensor
    values: Tensor
    hidden: Tensor | None
    heads: int = 1

    def __len__(self) -> int:
        """B, how many sequences there are."""
        return self.keys.shape[0] // self.heads

    def select(self, sequences: Tensor) -> "Memory":
        """The memory of some sequences (B',), in their order."""
        rows = (sequences.unsqueeze(1) * self.heads + torch.arange(self.heads)).flatten()
        hidden = None if self.hidden is None else self.hidden.index_select(0, rows)
        return Memory(self.keys.index_select(0, rows), self.values.index_select(0, rows), hidden, self.heads)


class _Attention(nn.Module):
    """What all kinds share: a memory is prepared, then looked at."""

    output_size: int
    """V, the width of a context."""

    @abstractmethod
    def prepare(self, memory: Tensor, lengths: Tensor | None = None) -> Memory:
        """What does not hang on the query.

        Args:
            memory: (S, B, M).
            lengths: (B,), how many places of each row count.

        Raises:
            ShapeError: A tensor does not fit.
        """

    @abstractmethod
    def look(self, query: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Contexts (T, B, V) and weights (T, B, S) for queries (T, B, Q)."""

    @overload
    def forward(
        self, query: Tensor, memory: Tensor, lengths: Tensor | None = None, *, weights: Literal[False] = False
    ) -> Tensor: ...
    @overload
    def forward(
        self, query: Tensor, memory: Tensor, lengths: Tensor | None = None, *, weights: Literal[True]
    ) -> tuple[Tensor, Tensor]: ...
    def forward(
        self, query: Tensor, memory: Tensor, lengths: Tensor | None = None, *, weights: bool = False
    ) -> Tensor | tuple[Tensor, Tensor]:
        """Look at a memory.

        Args:
            query: (T, B, Q), one question a step.
            memory: (S, B, M), what is looked at.
            lengths: (B,), how many places of each row's memory count; all of them when omitted.
            weights: Also give the weights (T, B, S), which sum to one over the memory.

        Raises:
            ShapeError: A tensor does not fit.
        """
        context, found = self.look(query, self.prepare(memory, lengths))
        return (context, found) if weights else context


class Attention(_Attention):
    """One look at a memory.

        a_ts = softmax over s of score(q_t, m_s)
        c_t = Σ_s a_ts v_s

    Main arguments:
        query_size: Q.
        memory_size: M.
        score: How a query is compared with a place: `dot`, `scaled_dot`, `general`, `additive`, or `query_key` with
            learned queries and keys (article 4 §3.4).

    Other arguments:
        size: A, for `additive` and `query_key`; Q when omitted.
        value_size: Learn values v_s = W_v m_s + b_v of this width (article 4); the memory itself when omitted.
        dropout: Share of the weights dropped in training.

    Raises:
        OptionError: An argument is impossible.

    Example:
        >>> attention = Attention(6, 4, "general")
        >>> context, weights = attention(torch.randn(5, 2, 6), torch.randn(3, 2, 4), torch.tensor([3, 1]), weights=True)
        >>> context.shape, weights.shape
        (torch.Size([5, 2, 4]), torch.Size([5, 2, 3]))
        >>> weights[:, 1, 0].tolist()
        [1.0, 1.0, 1.0, 1.0, 1.0]
    """

    scores: ClassVar = SCORES

    def __init__(
        self,
        query_size: int,
        memory_size: int,
        score: ScoreName = "scaled_dot",
        *,
        size: int | None = None,
        value_size: int | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        check_option("score", score, tuple(SCORES))
        check_probability("dropout", dropout)
        self.query_size, self.memory_size, self.dropout = query_size, memory_size, dropout
        self.score = SCORES[score](query_size, memory_size, size)
        self.value = None if value_size is None else nn.Linear(memory_size, value_size)
        self.output_size = memory_size if value_size is None else value_size

    def prepare(self, memory: Tensor, lengths: Tensor | None = None) -> Memory:
        _check("the memory", memory, self.memory_size)
        hidden = _hidden(memory, lengths)
        rows = without_padding(memory, lengths).transpose(0, 1)
        return Memory(self.score.keys(rows), rows if self.value is None else self.value(rows), hidden)

    def look(self, query: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        _check("the query", query, self.query_size, len(memory))
        weights = _softmax(self.score(query.transpose(0, 1), memory.keys), memory.hidden)
        context = torch.bmm(F.dropout(weights, self.dropout, self.training), memory.values)
        return context.transpose(0, 1), weights.transpose(0, 1)


class MultiHeadAttention(_Attention):
    """Several looks side by side, each with queries, keys and values of its own (Vaswani et al. 2017).

        head_i = softmax((W_q^i q)·(W_k^i m) / √d) W_v^i m,   c = W_o [head_1; …]

    Args:
        query_size: Q.
        memory_size: M.
        heads: How many looks.
        size: A, the width of all heads together, and of a context; Q when omitted.
        dropout: Share of the weights dropped in training.

    Shapes: as in `Attention`; weights are the mean over the heads.

    Raises:
        OptionError: The size does not divide by the heads.
    """

    def __init__(
        self, query_size: int, memory_size: int, heads: int, *, size: int | None = None, dropout: float = 0.0
    ) -> None:
        super().__init__()
        size = size or query_size
        if heads < 1 or size % heads:
            raise OptionError(f"size (={size}) must be divisible by heads (={heads}); choose another of them")
        check_probability("dropout", dropout)
        self.query_size, self.memory_size, self.heads, self.dropout = query_size, memory_size, heads, dropout
        self.query, self.key = nn.Linear(query_size, size), nn.Linear(memory_size, size)
        self.value, self.output = nn.Linear(memory_size, size), nn.Linear(size, size)
        self.output_size = size

    def prepare(self, memory: Tensor, lengths: Tensor | None = None) -> Memory:
        _check("the memory", memory, self.memory_size)
        hidden = _hidden(memory, lengths)
        rows = without_padding(memory, lengths).transpose(0, 1)
        hidden = None if hidden is None else hidden.repeat_interleave(self.heads, dim=0)
        return Memory(self._apart(self.key(rows)), self._apart(self.value(rows)), hidden, self.heads)

    def look(self, query: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        _check("the query", query, self.query_size, len(memory))
        queries = self._apart(self.query(query.transpose(0, 1)))
        scores = torch.bmm(queries / sqrt(queries.shape[-1]), memory.keys.transpose(1, 2))
        weights = _softmax(scores, memory.hidden)
        found = torch.bmm(F.dropout(weights, self.dropout, self.training), memory.values)
        batch = query.shape[1]
        together = found.view(batch, self.heads, *found.shape[1:]).transpose(1, 2).flatten(2)
        mean = weights.view(batch, self.heads, *weights.shape[1:]).mean(1)
        return self.output(together).transpose(0, 1), mean.transpose(0, 1)

    def _apart(self, rows: Tensor) -> Tensor:
        """(B, S, A) -> (B heads, S, A / heads)."""
        batch, time, size = rows.shape
        apart = rows.view(batch, time, self.heads, size // self.heads).transpose(1, 2)
        return apart.reshape(batch * self.heads, time, size // self.heads)


class ContextOutput(nn.Module):
    """What a step gives once it has looked: y_t = g(W [c_t; x_t] + b).

    With g = tanh the attentional vector of Luong, Pham and Manning 2015; without, the output layer of article 4 §3.4.

    Shapes: context (T, B, V), input (T, B, I), output (T, B, O).
    """

    def __init__(
        self,
        context_size: int,
        input_size: int,
        output_size: int,
        activation: Callable[[Tensor], Tensor] = torch.tanh,
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.linear, self.activation = nn.Linear(context_size + input_size, output_size), activation

    def forward(self, context: Tensor, x: Tensor) -> Tensor:
        return self.activation(self.linear(torch.cat([context, x], dim=-1)))


class AttentionPooling(nn.Module):
    """A sequence as one vector, the mean of its steps by how much each tells (Yang et al. 2016).

        a_t = softmax over t of u·tanh(W h_t + b),   s = Σ_t a_t h_t

    Args:
        input_size: I, the width of a step.
        size: A, in which steps are compared with what is sought; I when omitted.

    Shapes: x (T, B, I) and lengths (B,) give (B, I), and weights (T, B) if they are asked for. A row of length 0 gives
        zeros.

    Example:
        >>> AttentionPooling(4)(torch.randn(7, 2, 4), torch.tensor([7, 3])).shape
        torch.Size([2, 4])
    """

    def __init__(self, input_size: int, size: int | None = None) -> None:
        super().__init__()
        self.output_size = input_size
        self.projection = nn.Linear(input_size, size or input_size)
        self.energy = nn.Linear(size or input_size, 1, bias=False)

    @overload
    def forward(self, x: Tensor, lengths: Tensor | None = None, *, weights: Literal[False] = False) -> Tensor: ...
    @overload
    def forward(self, x: Tensor, lengths: Tensor | None = None, *, weights: Literal[True]) -> tuple[Tensor, Tensor]: ...
    def forward(
        self, x: Tensor, lengths: Tensor | None = None, *, weights: bool = False
    ) -> Tensor | tuple[Tensor, Tensor]:
        x = without_padding(x, lengths)
        hidden = _hidden(x, lengths)
        energy = self.energy(torch.tanh(self.projection(x))).permute(1, 2, 0)
        found = _softmax(energy, hidden)
        pooled = torch.bmm(found, x.transpose(0, 1)).squeeze(1)
        return (pooled, found.squeeze(1).t()) if weights else pooled


class HierarchicalAttention(nn.Module):
    """A document as one vector: words to sentences, sentences to the document (Yang et al. 2016).

    Args:
        input_size: I, the width of a word.
        word_size: Width of each direction of the network that reads a sentence.
        sentence_size: The same of the one that reads the document.
        cell: A class or factory of both networks' cells.

    Shapes: x (W, N, I), words of N sentences, those of all documents one after the other; word_lengths (N,); sentences
        (B,), how many of them each document has; gives (B, 2 * sentence_size).

    Raises:
        ShapeError: The sentences of the documents do not add up to N.

    Example:
        >>> network = HierarchicalAttention(3, 4, 5)
        >>> network(torch.randn(6, 5, 3), torch.tensor([6, 2, 3, 1, 4]), torch.tensor([2, 3])).shape
        torch.Size([2, 10])
    """

    def __init__(self, input_size: int, word_size: int, sentence_size: int, cell: Factory = GRUCell) -> None:
        super().__init__()
        self.words = Recurrent(cell, input_size, word_size, bidirectional=True)
        self.word_pooling = AttentionPooling(2 * word_size)
        self.sentences = Recurrent(cell, 2 * word_size, sentence_size, bidirectional=True)
        self.sentence_pooling = AttentionPooling(2 * sentence_size)
        self.output_size = 2 * sentence_size

    def forward(self, x: Tensor, word_lengths: Tensor, sentences: Tensor) -> Tensor:
        if int(sentences.sum()) != x.shape[1]:
            raise ShapeError(
                f"the documents have {int(sentences.sum())} sentences together; received {x.shape[1]} of words"
            )
        read, _ = self.words(x, lengths=word_lengths)
        vectors = self.word_pooling(read, word_lengths)
        documents = pad_sequence(list(vectors.split(sentences.tolist())))
        read, _ = self.sentences(documents, lengths=sentences)
        return self.sentence_pooling(read, sentences)


def _hidden(memory: Tensor, lengths: Tensor | None) -> Tensor | None:
    """(B, 1, S), true past each row's length."""
    if lengths is None:
        return None
    time, batch = memory.shape[:2]
    if lengths.shape != (batch,):
        raise ShapeError(f"lengths expects {batch} whole numbers, one a row; received shape {tuple(lengths.shape)}")
    return ~within(lengths.to(memory.device), time).t().unsqueeze(1)


def _softmax(scores: Tensor, hidden: Tensor | None) -> Tensor:
    """Over the memory; where nothing can be seen all weights are zero."""
    if hidden is None:
        return scores.softmax(-1)
    return scores.masked_fill(hidden, float("-inf")).softmax(-1).masked_fill(hidden, 0.0)


def _check(name: str, tensor: Tensor, size: int, batch: int | None = None) -> None:
    expected = f"(time, {'batch' if batch is None else batch}, {size})"
    if tensor.dim() != 3 or tensor.shape[2] != size or (batch is not None and tensor.shape[1] != batch):
        raise ShapeError(f"{name} of an attention expects shape {expected}; received {tuple(tensor.shape)}")
