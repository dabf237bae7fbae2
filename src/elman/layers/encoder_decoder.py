"""One sequence read, another written: encoder, bridge, attention, decoder.

Sutskever, Vinyals and Le 2014; Cho et al. 2014; Bahdanau, Cho and Bengio 2015; Luong, Pham and Manning 2015; article 4.

Key: S source time, T target time, B batch, K rows of a sentence in decoding, H hidden width, O output width.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, Literal, TypedDict, TypeVar, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.engine import Cell, State, as_sizes, scan
from elman.errors import OptionError, check_option
from elman.layers.attention import Attention, ContextOutput, Memory, MultiHeadAttention, ScoreName
from elman.layers.attention_cell import AttentionCell, as_context
from elman.layers.cells import Factory
from elman.layers.recurrent import LayerState, Recurrent
from elman.layers.stacked import Stacked
from elman.layers.step import Step, compile_step

Look = Literal[ScoreName, "multi_head", "none"]
Attend = Literal["after", "inside", "feeding"]
LOOKS = (*get_args(ScoreName), "multi_head", "none")

Entry = TypeVar("Entry")

PLACES = 16
"""Memories that the recurrence itself looks at are padded to a multiple of this: fewer kernels to compile."""


class Regularisation(TypedDict, total=False):
    """What `Recurrent` takes of these."""

    residual: bool
    dropout: float
    dropout_per: Literal["step", "sequence"]
    recurrent_dropout: float
    zoneout: float
    weight_drop: float


@dataclass(frozen=True)
class Encoded:
    """What was read."""

    memory: Memory | None
    """Of every source step, for an attention to look at."""
    start: State
    """What the decoder starts from."""


class Bridge(nn.Module):
    """From the final states of an encoder to the first ones of a decoder: s = tanh(W e + b), one W for each tensor.

    A decoder's layer gets the states of the encoder's layer of the same number, or of its last; all directions and
    tensors of it side by side.

    Args:
        encoder: What has read.
        shapes: Of a decoder's state tensors, layer by layer.
    """

    def __init__(self, encoder: Recurrent, shapes: Sequence[Sequence[int | tuple[int, ...]]]) -> None:
        super().__init__()
        self.directions = encoder.directions
        layers = len(encoder.cells) // self.directions
        self.sources = [min(number, layers - 1) for number in range(len(shapes))]
        self.shapes = [[as_sizes(shape) for shape in layer] for layer in shapes]
        cells: list[Cell] = list(encoder.cells)  # pyright: ignore[reportAssignmentType]
        widths = [
            sum(prod(as_sizes(shape)) for cell in self._layer(cells, source) for shape in cell.state_shapes)
            for source in self.sources
        ]
        self.linears = nn.ModuleList(
            nn.Linear(width, prod(shape)) for width, layer in zip(widths, self.shapes, strict=True) for shape in layer
        )

    def _layer(self, entries: Sequence[Entry], number: int) -> Sequence[Entry]:
        return entries[number * self.directions : (number + 1) * self.directions]

    def forward(self, states: LayerState) -> State:
        """An encoder's final state -> tensors (B, *shape)."""
        linears = iter(self.linears)
        found = []
        for source, shapes in zip(self.sources, self.shapes, strict=True):
            summary = torch.cat([t.flatten(1) for state in self._layer(states, source) for t in state], dim=1)
            found += [torch.tanh(next(linears)(summary)).view(-1, *shape) for shape in shapes]
        return tuple(found)


class Decoder(nn.Module):
    """Writes the target, looking at what was read."""

    output_size: int
    stack: nn.Module
    """Its recurrent layers, as `compile_step` takes them."""
    attention: Attention | MultiHeadAttention | None
    readout: ContextOutput | nn.Sequential

    def shapes(self) -> list[Sequence[int | tuple[int, ...]]]:
        """Of its state tensors, layer by layer."""
        raise NotImplementedError

    def forward(self, y: Tensor, encoded: Encoded, lengths: Tensor | None) -> Tensor:
        """Vectors (T, B, I) of the units before -> outputs (T, B, O)."""
        raise NotImplementedError

    def write(self, y: Tensor, writing: "Writing") -> tuple[Tensor, Tensor | None, "Writing"]:
        """One step: vectors (B K, I) -> outputs (B K, O), weights (B K, S) if there are any, what comes next."""
        raise NotImplementedError

    def look(self, query: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Queries (B K, Q), the K rows of a sentence together, at memories of B sentences."""
        assert self.attention is not None
        beams = query.unflatten(0, (len(memory), -1)).transpose(0, 1)
        seen, weights = self.attention.look(beams, memory)
        return seen.transpose(0, 1).flatten(0, 1), weights.transpose(0, 1).flatten(0, 1)


@dataclass(frozen=True)
class Writing:
    """Where a decoder stands in writing B sentences, K rows of each."""

    step: Step
    """Of the decoder's layers; its own state is overwritten at every step."""
    memory: Memory | None
    state: State
    """Each (B K, ...)."""
    previous: Tensor | None = None
    """(B K, ...), what attention inside the recurrence carries on."""

    def select(self, rows: Tensor, sentences: Tensor | None = None) -> "Writing":
        """Go on with some rows, in their order; and with the memories of some sentences only.

        Args:
            rows: (B' K'), K' of each sentence side by side.
            sentences: (B',), whose rows these are; all of them, in their order, when omitted.
        """
        return replace(
            self,
            memory=self.memory if sentences is None or self.memory is None else self.memory.select(sentences),
            state=tuple(tensor.index_select(0, rows) for tensor in self.state),
            previous=None if self.previous is None else self.previous.index_select(0, rows),
        )

    def advance(self, x: Tensor) -> tuple[Tensor, State]:
        """One step of the layers from the state: their output and the state after it."""
        layer = self.step.layer
        if self.step.batch != len(x):
            self.step.reset(batch=len(x))
        self.step.state = _regrouped(layer, self.state)
        y = self.step(x)
        after: Any = self.step.state
        return y, tuple(t for one in after for t in one) if isinstance(layer, Recurrent) else after


def _regrouped(layer: nn.Module, state: State) -> LayerState | State:
    """Flat tensors in the form of a layer's own state."""
    if not isinstance(layer, Recurrent):
        return state
    rest = iter(state)
    cells: list[Cell] = list(layer.cells)  # pyright: ignore[reportAssignmentType]
    return tuple(tuple(next(rest) for _ in cell.state_shapes) for cell in cells)


class LookingAfter(Decoder):
    """Attention behind the recurrence, so the whole target goes through the layers in one scan.

    h = layers(y),  c_t = look(h_t),  o_t = tanh(W [c_t; h_t] + b)
    """

    def __init__(self, stack: Recurrent, attention: Attention | MultiHeadAttention | None, output_size: int) -> None:
        super().__init__()
        self.stack, self.attention, self.output_size = stack, attention, output_size
        width = stack.output_size
        if attention is None:
            self.readout = nn.Sequential(nn.Linear(width, output_size), nn.Tanh())
        else:
            self.readout = ContextOutput(attention.output_size, width, output_size)

    def shapes(self) -> list[Sequence[int | tuple[int, ...]]]:
        return [cell.state_shapes for cell in self.stack.cells]  # pyright: ignore

    def forward(self, y: Tensor, encoded: Encoded, lengths: Tensor | None) -> Tensor:
        h, _ = self.stack(y, _regrouped(self.stack, encoded.start), lengths=lengths)
        if self.attention is None:
            return self.readout(h)
        assert encoded.memory is not None
        seen, _ = self.attention.look(h, encoded.memory)
        return self.readout(seen, h)

    def write(self, y: Tensor, writing: Writing) -> tuple[Tensor, Tensor | None, Writing]:
        h, state = writing.advance(y)
        writing = replace(writing, state=state)
        if writing.memory is None:
            return self.readout(h), None, writing
        seen, weights = self.look(h, writing.memory)
        return self.readout(seen, h), weights, writing


class LookingInside(Decoder):
    """Attention within the recurrence; see `AttentionCell`."""

    def __init__(
        self, stack: Stacked, attention: Attention, output_size: int, attend: Literal["inside", "feeding"]
    ) -> None:
        super().__init__()
        readout = ContextOutput(attention.output_size, stack.output_size, output_size)
        self.cell = AttentionCell(stack, attention, readout, attend)
        self.output_size = output_size

    @property
    def stack(self) -> Stacked:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.cell.cell  # pyright: ignore[reportReturnType]

    @property
    def attention(self) -> Attention:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.cell.attention

    def shapes(self) -> list[Sequence[int | tuple[int, ...]]]:
        *layers, top = [cell.state_shapes for cell in self.stack.cells]  # pyright: ignore
        return [*layers, (*top, self.cell.state_shapes[-1])]  # pyright: ignore

    def forward(self, y: Tensor, encoded: Encoded, lengths: Tensor | None) -> Tensor:
        assert encoded.memory is not None
        outputs, _ = scan(self.cell, y, encoded.start, lengths=lengths, context=as_context(encoded.memory))
        return outputs

    def write(self, y: Tensor, writing: Writing) -> tuple[Tensor, Tensor | None, Writing]:
        memory, previous = writing.memory, writing.previous
        assert memory is not None
        assert previous is not None
        if self.cell.attend == "inside":
            seen, weights = self.look(previous, memory)
            h, state = writing.advance(torch.cat([y, seen], dim=-1))
            return self.cell.readout(seen, h), weights, replace(writing, state=state, previous=h)
        h, state = writing.advance(torch.cat([y, previous], dim=-1))
        seen, weights = self.look(h, memory)
        output = self.cell.readout(seen, h)
        return output, weights, replace(writing, state=state, previous=output)


class EncoderDecoder(nn.Module):
    """Reads one sequence of vectors and writes another.

    Main arguments:
        cell: A class or factory of all cells.
        source_size: Width of the source's vectors.
        target_size: Width of the vectors of the target's units, each seen when the next is written.
        hidden_size: H of the decoder, and of each direction of the encoder.
        num_layers: Layers of the encoder and of the decoder.

    Other arguments:
        attention: How a place of the source is compared: a score of `Attention`, `multi_head`, or `none`.
        attend: Where the decoder looks: `after` the recurrence, so that the whole target trains in one scan; `inside`,
            before each step (Bahdanau et al. 2015); or `feeding`, after each step, with what came of it fed to the next
            (Luong et al. 2015).
        heads: Of `multi_head`.
        output_size: O; the target's width when omitted.
        decoder_layers: Layers of the decoder, where they are not as many as those of the encoder.
        bidirectional: Does the encoder read from both ends?
        regularisation: What `Recurrent` takes: residual, dropout, dropout_per, recurrent_dropout, zoneout, weight_drop.

    Raises:
        OptionError: An argument is impossible.

    Example:
        >>> from elman.layers import GRUCell
        >>> network = EncoderDecoder(GRUCell, 6, 5, 8)
        >>> encoded = network.encode(torch.randn(7, 2, 6), torch.tensor([7, 4]))
        >>> network(torch.randn(3, 2, 5), encoded).shape
        torch.Size([3, 2, 5])
    """

    def __init__(
        self,
        cell: Factory,
        source_size: int,
        target_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        attention: Look = "general",
        attend: Attend = "after",
        heads: int = 4,
        output_size: int | None = None,
        decoder_layers: int | None = None,
        bidirectional: bool = True,
        regularisation: Regularisation | None = None,
    ) -> None:
        super().__init__()
        check_option("attention", attention, LOOKS)
        check_option("attend", attend, get_args(Attend))
        inner = regularisation or {}
        output_size = output_size or target_size
        self.encoder = Recurrent(cell, source_size, hidden_size, num_layers, bidirectional=bidirectional, **inner)
        layers = decoder_layers or num_layers
        width: int = self.encoder.cells[-1].output_size  # pyright: ignore[reportAssignmentType]
        look = _attention(attention, width, self.encoder.output_size, hidden_size, heads)
        if attend == "after":
            stack = Recurrent(cell, target_size, hidden_size, layers, **inner)
            self.decoder: Decoder = LookingAfter(stack, look, output_size)
        else:
            if not isinstance(look, Attention):
                raise OptionError(
                    f"attend = {attend} expects one look at a time; received attention = {attention}; "
                    "take attend = after, or one of the scores of a single look, such as additive"
                )
            beside = look.output_size if attend == "inside" else output_size
            cells = Recurrent(cell, target_size + beside, hidden_size, layers, **inner).cells
            stacked = Stacked(cells, residual=inner.get("residual", False), dropout=inner.get("dropout", 0.0))
            self.decoder = LookingInside(stacked, look, output_size, attend)
        self.bridge = Bridge(self.encoder, self.decoder.shapes())
        self.output_size = output_size

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Encoded:
        """Read vectors (S, B, I), of which each row's first `lengths` (B,) count."""
        if isinstance(self.decoder, LookingInside):
            lengths = torch.full(x.shape[1:2], len(x)) if lengths is None else lengths
            x = F.pad(x, (0, 0, 0, 0, 0, -len(x) % PLACES))
        read, states = self.encoder(x, lengths=lengths)
        look = self.decoder.attention
        return Encoded(None if look is None else look.prepare(read, lengths), self.bridge(states))

    def forward(self, y: Tensor, encoded: Encoded, lengths: Tensor | None = None) -> Tensor:
        """Outputs (T, B, O) for the vectors (T, B, I) of the units before each."""
        return self.decoder(y, encoded, lengths)

    def start(self, encoded: Encoded) -> Writing:
        """Begin to write each sentence, in one row each; for evaluation, without gradients."""
        rows = len(encoded.start[0])
        step = compile_step(self.decoder.stack, batch=rows, frozen=True)
        if isinstance(self.decoder, LookingInside):
            *state, previous = encoded.start
            return Writing(step, encoded.memory, tuple(state), previous)
        return Writing(step, encoded.memory, encoded.start)

    def write(self, y: Tensor, writing: Writing) -> tuple[Tensor, Tensor | None, Writing]:
        """One step: vectors (rows, I) -> outputs (rows, O), the weights of looking (rows, S), and where it stands."""
        return self.decoder.write(y, writing)


def _attention(
    name: Look, query_size: int, memory_size: int, size: int, heads: int
) -> Attention | MultiHeadAttention | None:
    if name == "none":
        return None
    if name == "multi_head":
        return MultiHeadAttention(query_size, memory_size, heads, size=size)
    return Attention(query_size, memory_size, name, size=size)
