"""A small Transformer (Vaswani et al. 2017) of torch's own layers, to compare recurrent translators with.

Key: S source time, T target time, B sentences, K rows of each, E width.
"""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.data import PairBatch
from elman.engine import within
from elman.errors import OptionError
from elman.layers import with_places
from elman.models.translator import Translator


@dataclass(frozen=True)
class TransformerWriting:
    """Where a Transformer stands in writing: unlike a recurrent state, it grows with every step."""

    memory: Tensor
    """(B, S, E)."""
    hidden: Tensor
    """(B, S), true where there is nothing to see."""
    past: tuple[Tensor, ...]
    """For each layer what it has read, (B K, T, E)."""

    def select(self, rows: Tensor, sentences: Tensor | None = None) -> "TransformerWriting":
        """Go on with some rows, in their order; and with some sentences only, whose rows these are."""
        past = tuple(each.index_select(0, rows) for each in self.past)
        if sentences is None:
            return replace(self, past=past)
        return TransformerWriting(self.memory[sentences], self.hidden[sentences], past)


class TransformerTranslator(Translator):
    """Encoder and decoder of self-attention, each layer normalised before it acts.

    Args:
        source_vocabulary: Units that are read.
        target_vocabulary: V.
        embedding_size: E, the width of everything but the hidden layers.
        hidden_size: Of the feed-forward networks.
        num_layers: Layers of the encoder.
        decoder_layers: Layers of the decoder; as many when omitted.
        heads: Looks side by side.
        dropout: Share dropped within and behind each part of a layer.
        around: As `Translator` takes it.

    Raises:
        OptionError: The width does not divide by the heads.
    """

    def __init__(
        self,
        source_vocabulary: int,
        target_vocabulary: int,
        *,
        embedding_size: int,
        hidden_size: int,
        num_layers: int = 1,
        decoder_layers: int | None = None,
        heads: int = 4,
        dropout: float = 0.0,
        **around: Any,
    ) -> None:
        super().__init__(source_vocabulary, target_vocabulary, embedding_size, embedding_size, **around)
        if embedding_size % heads or embedding_size % 2:
            raise OptionError(
                f"embedding_size (={embedding_size}) must be even and divisible by heads (={heads}); choose another"
            )
        shape = (embedding_size, heads, hidden_size, dropout)
        layer = nn.TransformerEncoderLayer(*shape, batch_first=True, norm_first=True)
        norm = nn.LayerNorm(embedding_size)
        self.encoder = nn.TransformerEncoder(layer, num_layers, norm, enable_nested_tensor=False)
        self.layers = nn.ModuleList(
            nn.TransformerDecoderLayer(*shape, batch_first=True, norm_first=True)
            for _ in range(decoder_layers or num_layers)
        )
        self.norm = nn.LayerNorm(embedding_size)

    def vectors(self, batch: PairBatch) -> Tensor:
        memory, hidden = self._read(batch.source, batch.source_lengths)
        x = with_places(self.read(self.target, batch.inputs)).transpose(0, 1)
        causal = nn.Transformer.generate_square_subsequent_mask(x.shape[1], dtype=x.dtype)
        for layer in self.layers:
            x = layer(x, memory, tgt_mask=causal, memory_key_padding_mask=hidden, tgt_is_causal=True)
        return self.norm(x).transpose(0, 1)

    def start(self, source: Tensor, lengths: Tensor) -> TransformerWriting:
        memory, hidden = self._read(source, lengths)
        nothing = memory.new_empty(len(memory), 0, memory.shape[2])
        return TransformerWriting(memory, hidden, (nothing,) * len(self.layers))

    def write(self, units: Tensor, position: TransformerWriting) -> tuple[Tensor, Tensor | None, TransformerWriting]:
        x = with_places(self.read(self.target, units).unsqueeze(0), position.past[0].shape[1]).transpose(0, 1)
        weights, past = None, []
        for layer, before in zip(self.layers, position.past, strict=True):
            x, read, weights = self._step(layer, x, before, position)
            past.append(read)
        return self.norm(x).squeeze(1), weights, replace(position, past=tuple(past))

    def _step(
        self, layer: Any, x: Tensor, before: Tensor, position: TransformerWriting
    ) -> tuple[Tensor, Tensor, Tensor]:
        """One layer at one step (B K, 1, E): its output, all it has read, and where it looked (B K, S)."""
        new = layer.norm1(x)
        read = torch.cat([before, new], dim=1)
        x = x + layer.self_attn(new, read, read, need_weights=False)[0]
        beams = layer.norm2(x).unflatten(0, (len(position.memory), -1)).squeeze(2)
        memory = position.memory
        seen, weights = layer.multihead_attn(beams, memory, memory, key_padding_mask=position.hidden)
        x = x + seen.flatten(0, 1).unsqueeze(1)
        x = x + layer.linear2(F.relu(layer.linear1(layer.norm3(x))))
        return x, read, weights.flatten(0, 1)

    def _read(self, source: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        x = with_places(self.read(self.source, source)).transpose(0, 1)
        hidden = ~within(lengths, len(source)).t()
        return self.encoder(x, src_key_padding_mask=hidden), hidden
