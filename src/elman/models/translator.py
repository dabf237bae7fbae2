"""One text read, another written: what translators of any kind share, and the recurrent one.

Key: S source time, T target time, B batch, V target vocabulary, E embedding width, O output width, H hidden width.
"""

from abc import abstractmethod
from math import sqrt
from typing import Any, Literal, Protocol, Self

from torch import Tensor, nn

from elman.data import IGNORE, PairBatch
from elman.errors import OptionError
from elman.layers import (
    Embedding,
    EncoderDecoder,
    Factory,
    Regularisation,
    Writing,
    drop_features,
    linear_cross_entropy,
)

Tied = Literal["no", "output", "all"]


class Position(Protocol):
    """Where a translator stands in writing several sentences, one row or more of each."""

    def select(self, rows: Tensor, sentences: Tensor | None = None) -> Self:
        """Go on with some rows; and with some sentences only, whose rows these are."""
        ...


class Translator(nn.Module):
    """Embeddings, an output layer and the loss, around a body that subclasses give.

    Args:
        source_vocabulary: Units that are read.
        target_vocabulary: V.
        embedding_size: E.
        output_size: O, of the body.
        tied: What shares its vectors: nothing; the target's units and the output layer (Press and Wolf 2017); or the
            source's units too, which then are the same.
        word_dropout: Share of the vocabularies that reads as zeros during a training call.
        input_dropout: Share of embedding features dropped.
        output_dropout: Share dropped before the output layer.
        variational: One mask for all steps of a sequence, in these two places.

    Raises:
        OptionError: What should be tied has not one size.
    """

    def __init__(
        self,
        source_vocabulary: int,
        target_vocabulary: int,
        embedding_size: int,
        output_size: int,
        *,
        tied: Tied = "no",
        word_dropout: float = 0.0,
        input_dropout: float = 0.0,
        output_dropout: float = 0.0,
        variational: bool = False,
    ) -> None:
        super().__init__()
        self.input_dropout, self.output_dropout, self.variational = input_dropout, output_dropout, variational
        self.target = Embedding(target_vocabulary, embedding_size, word_dropout)
        self.source = self.target if tied == "all" else Embedding(source_vocabulary, embedding_size, word_dropout)
        self.output = nn.Linear(output_size, target_vocabulary)
        self.scale = sqrt(embedding_size)
        """Vectors are small, as an output layer wants them where it uses them too, and grow where they are read."""
        for weight in (self.target.weight, self.source.weight, self.output.weight):
            nn.init.normal_(weight, std=1 / sqrt(weight.shape[1]))
        nn.init.zeros_(self.output.bias)
        if tied == "all" and source_vocabulary != target_vocabulary:
            raise OptionError(
                "tied = all expects one vocabulary for both sides; take vocabulary = joint, or tied = output"
            )
        if tied != "no":
            self.output.weight = self.target.weight

    @abstractmethod
    def vectors(self, batch: PairBatch) -> Tensor:
        """What the output layer turns into scores, (T, B, O)."""

    @abstractmethod
    def start(self, source: Tensor, lengths: Tensor) -> Position:
        """Read sources (S, B), and begin to write each in one row."""

    @abstractmethod
    def write(self, units: Tensor, position: Any) -> tuple[Tensor, Tensor | None, Any]:
        """One step: the last units (rows,) -> outputs (rows, O), weights of looking (rows, S), and where it stands."""

    def loss(self, batch: PairBatch, smoothing: float = 0.0) -> Tensor:
        """Nats for each target unit, its end included."""
        found = self.drop(self.vectors(batch), self.output_dropout)
        weight, bias = self.output.weight, self.output.bias
        return linear_cross_entropy(found, weight, bias, batch.targets, smoothing=smoothing, ignore=IGNORE)

    def read(self, embedding: nn.Module, units: Tensor) -> Tensor:
        """The vectors of units, (time, B, E)."""
        return self.drop(embedding(units) * self.scale, self.input_dropout)

    def drop(self, x: Tensor, p: float) -> Tensor:
        """Dropout on vectors (time, B, features) in training."""
        return drop_features(x, p, training=self.training, per_sequence=self.variational)


class RecurrentTranslator(Translator):
    """Two recurrent networks, one that reads and one that writes; see `EncoderDecoder`.

    Args:
        source_vocabulary: Units that are read.
        target_vocabulary: V.
        cell: A class or factory of all cells.
        embedding_size: E; the body puts out vectors of this width too.
        hidden_size: H.
        num_layers: Layers of the encoder.
        decoder_layers: Layers of the decoder; as many when omitted.
        attention: How a place of the source is compared, as in `EncoderDecoder`.
        attend: Where the decoder looks.
        heads: Of the attention `multi_head`.
        regularisation: Of both networks, as `Recurrent` takes it.
        around: As `Translator` takes it: tied, word_dropout, input_dropout, output_dropout, variational.

    Raises:
        OptionError: An argument is impossible.
    """

    def __init__(
        self,
        source_vocabulary: int,
        target_vocabulary: int,
        cell: Factory,
        *,
        embedding_size: int,
        hidden_size: int,
        num_layers: int = 1,
        decoder_layers: int | None = None,
        attention: Any = "additive",
        attend: Any = "after",
        heads: int = 4,
        regularisation: Regularisation | None = None,
        **around: Any,
    ) -> None:
        super().__init__(source_vocabulary, target_vocabulary, embedding_size, embedding_size, **around)
        self.body = EncoderDecoder(
            cell,
            embedding_size,
            embedding_size,
            hidden_size,
            num_layers,
            attention=attention,
            attend=attend,
            heads=heads,
            decoder_layers=decoder_layers,
            regularisation=regularisation,
        )

    def vectors(self, batch: PairBatch) -> Tensor:
        encoded = self.body.encode(self.read(self.source, batch.source), batch.source_lengths)
        return self.body(self.read(self.target, batch.inputs), encoded, batch.target_lengths)

    def start(self, source: Tensor, lengths: Tensor) -> Writing:
        return self.body.start(self.body.encode(self.read(self.source, source), lengths))

    def write(self, units: Tensor, position: Writing) -> tuple[Tensor, Tensor | None, Writing]:
        return self.body.write(self.read(self.target, units), position)
