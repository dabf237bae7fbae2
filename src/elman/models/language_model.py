"""A language model: embedding, recurrent body, a score for every unit that may come next.

Key: T time, B batch, V vocabulary, E embedding width, H hidden width.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from elman.errors import OptionError
from elman.layers import Embedding, Factory, LayerState, Recurrent, linear_cross_entropy, steady_linear
from elman.models.reader import Reader


class LanguageModel(Reader):
    """What comes next, given all that came before.

    Dropout has the places and names of Zaremba et al. (2014) and of AWD-LSTM (Merity et al. 2017).

    Args:
        vocabulary: V.
        cell: A class or factory of cells.
        embedding_size: E.
        hidden_size: H of every layer.
        num_layers: How many layers.
        tied: The output layer uses the embedding's vectors (Press and Wolf 2017); the last layer is then E wide.
        word_dropout: Share of the vocabulary that reads as zeros during a training call.
        input_dropout: Share of embedding features dropped.
        dropout: Share dropped between layers.
        output_dropout: Share dropped before the output layer.
        variational: One mask for all steps of a window, in the three places above (Gal and Ghahramani 2016).
        recurrent_dropout: As in `Recurrent`.
        zoneout: As in `Recurrent`.
        weight_drop: As in `Recurrent`.
        residual: As in `Recurrent`.

    Raises:
        OptionError: The last layer puts out another width than that of the tied embedding.
    """

    def __init__(
        self,
        vocabulary: int,
        cell: Factory,
        *,
        embedding_size: int,
        hidden_size: int,
        num_layers: int = 1,
        tied: bool = False,
        word_dropout: float = 0.0,
        input_dropout: float = 0.0,
        dropout: float = 0.0,
        output_dropout: float = 0.0,
        variational: bool = False,
        recurrent_dropout: float = 0.0,
        zoneout: float = 0.0,
        weight_drop: float = 0.0,
        residual: bool = False,
    ) -> None:
        embedding = Embedding(vocabulary, embedding_size, word_dropout)
        super().__init__(
            embedding,
            Recurrent(
                cell,
                embedding_size,
                self._widths(hidden_size, num_layers, embedding_size if tied else hidden_size),
                residual=residual,
                dropout=dropout,
                dropout_per="sequence" if variational else "step",
                recurrent_dropout=recurrent_dropout,
                zoneout=zoneout,
                weight_drop=weight_drop,
            ),
            input_dropout=input_dropout,
            output_dropout=output_dropout,
            variational=variational,
        )
        self.output = nn.Linear(self.body.output_size, vocabulary)
        for weight in (embedding.weight, self.output.weight):
            nn.init.uniform_(weight, -0.1, 0.1)
        nn.init.zeros_(self.output.bias)
        if tied and self.body.output_size != embedding_size:
            raise OptionError(
                f"tied expects a last layer as wide as the embedding, {embedding_size}; "
                f"received {self.body.output_size} from this cell; train without --tied, or take another cell"
            )
        if tied:
            self.output.weight = embedding.weight

    @staticmethod
    def _widths(hidden: int, layers: int, last: int) -> Sequence[int]:
        return [hidden] * (layers - 1) + [last]

    def forward(self, tokens: Tensor, state: LayerState | None = None) -> tuple[Tensor, LayerState]:
        """(T, B) unit numbers -> scores (T, B, V) of the unit after each, and the state to go on from."""
        vectors, after = self.vectors(tokens, state)
        return self.output(vectors), after

    def next_scores(self, tokens: Tensor, state: LayerState | None = None) -> tuple[Tensor, LayerState]:
        """(T, B) unit numbers -> scores (B, V) of the unit after the last, no row noticing others; and the state."""
        vectors, after = self.vectors(tokens, state)
        return steady_linear(vectors[-1], self.output.weight, self.output.bias), after

    def loss(
        self, tokens: Tensor, targets: Tensor, ignore: int, state: LayerState | None = None
    ) -> tuple[Tensor, LayerState]:
        """Mean nats of the units (T, B) that come next, but those to ignore; and the state to go on from."""
        vectors, after = self.vectors(tokens, state)
        return linear_cross_entropy(vectors, self.output.weight, self.output.bias, targets, ignore=ignore), after
