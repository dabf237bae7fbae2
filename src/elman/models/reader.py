"""What networks that read a sequence share: vectors of its units, and a recurrent body over them.

Key: T time, B batch, F features, H width of the body's output.
"""

from typing import Any

import torch
from torch import Tensor, nn

from elman.errors import OptionError
from elman.layers import Embedding, LayerState, Recurrent, drop_features, spec_augment
from elman.models.bodies import Body


class Reader(nn.Module):
    """Reads units, or numbers as they come.

    Args:
        embedding: From what is given to vectors; None for sequences of numbers, which are vectors already.
        body: What reads the vectors.
        input_dropout: Share of the vectors' features dropped.
        output_dropout: Share of the body's output dropped.
        variational: One mask for all steps of a sequence, in these two places (Gal and Ghahramani 2016).
        noise: The deviation of what is added to numbers in training (Jim et al. 1996).
        masks: Stretches of steps, and of features, that read as zeros in training, as in `spec_augment`.
    """

    def __init__(
        self,
        embedding: nn.Module | None,
        body: Recurrent | Body,
        *,
        input_dropout: float = 0.0,
        output_dropout: float = 0.0,
        variational: bool = False,
        noise: float = 0.0,
        masks: int = 0,
    ) -> None:
        super().__init__()
        self.noise, self.masks = noise, masks
        self.input_dropout, self.output_dropout, self.variational = input_dropout, output_dropout, variational
        self.embedding = embedding
        self.body = body

    @property
    def units(self) -> Embedding:
        """The vectors of single units.

        Raises:
            OptionError: It reads numbers as they come.
        """
        if not isinstance(self.embedding, Embedding):
            raise OptionError("a network that reads numbers has no vectors of units; expected one that reads text")
        return self.embedding

    def vectors(
        self, x: Any, state: LayerState | None = None, lengths: Tensor | None = None
    ) -> tuple[Tensor, LayerState]:
        """(T, B, F), or what the embedding makes that of -> (T, B, H), and the state to go on from."""
        x = self._distorted(x, lengths) if self.embedding is None else self.embedding(x)
        y, after = self.body(self.drop(x, self.input_dropout), state, lengths=lengths)
        return self.drop(y, self.output_dropout), after

    def _distorted(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        if not self.training:
            return x
        x = x + self.noise * torch.randn_like(x) if self.noise else x
        lengths = torch.full(x.shape[1:2], len(x)) if lengths is None else lengths
        return spec_augment(x, lengths, self.masks) if self.masks else x

    def drop(self, x: Tensor, p: float) -> Tensor:
        """Dropout on vectors (T, B, features) in training."""
        return drop_features(x, p, training=self.training, per_sequence=self.variational)
