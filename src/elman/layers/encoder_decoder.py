"""One sequence read, another written: encoder, bridge, attention, decoder.

Sutskever, Vinyals and Le 2014; Cho et al. 2014; Bahdanau, Cho and Bengio 2015; Luong, Pham and Manning 2015; article 4.

Key: S source time, T target time, B batch, K rows of a sentence in decoding, H hidden width, O output width.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
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
from elman.layers.dropout import drop_features
from elman.layers.recurrent import LayerState, Recurrent
from elman.layers.stacked import Stacked
from elman.layers.step import Step, compile_step

Look = Literal[ScoreName, "multi_head", "none"]
Attend = Literal["after", "between", "inside", "feeding"]
Shapes = Sequence[int | tuple[int, ...]]
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

    def __init__(self, encoder: Recurrent, shapes: Sequence[Shapes]) -> None:
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


@dataclass(frozen=True)
class Writing:
    """Where a decoder stands in writing B sentences, K rows of each."""

    steps: tuple[Step, ...]
    """Of the decoder's recurrent parts; their own states are overwritten at every step."""
    states: tuple[State, ...]
    """One for each part, tensors (B K, ...)."""
    memory: Memory | None
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
            states=tuple(tuple(tensor.index_select(0, rows) for tensor in state) for state in self.states),
            memory=self.memory if sentences is None or self.memory is None else self.memory.select(sentences),
            previous=None if self.previous is None else self.previous.index_select(0, rows),
        )

    def advance(self, part: int, x: Tensor) -> tuple[Tensor, "Writing"]:
        """One step of a part (B K, I): its output, and where the decoder stands then."""
        step = self.steps[part]
        if step.batch != len(x):
            step.reset(batch=len(x))
        step.state = _regrouped(step.layer, self.states[part])
        y = step(x)
        after: Any = step.state
        flat = tuple(chain(*after)) if isinstance(step.layer, Recurrent) else after
        return y, replace(self, states=(*self.states[:part], flat, *self.states[part + 1 :]))


class Decoder(nn.Module):
    """Writes the target, looking at what was read."""

    attention: Attention | MultiHeadAttention | None

    @abstractmethod
    def parts(self) -> list[Recurrent | Stacked]:
        """Its recurrent layers, as `compile_step` takes them."""

    def shapes(self) -> list[Shapes]:
        """Of its state tensors, layer by layer."""
        return [cell.state_shapes for part in self.parts() for cell in part.cells]  # pyright: ignore

    @abstractmethod
    def forward(self, y: Tensor, encoded: Encoded, lengths: Tensor | None) -> Tensor:
        """Vectors (T, B, I) of the units before -> outputs (T, B, O)."""

    def begin(self, encoded: Encoded) -> Writing:
        """One row for each sentence."""
        parts = self.parts()
        steps = tuple(compile_step(part, batch=len(encoded.start[0]), frozen=True) for part in parts)
        rest = iter(encoded.start)
        states = tuple(tuple(next(rest) for _ in range(_tensors(part))) for part in parts)
        return Writing(steps, states, encoded.memory, next(rest, None))

    @abstractmethod
    def write(self, y: Tensor, writing: Writing) -> tuple[Tensor, Tensor | None, Writing]:
        """One step: vectors (B K, I) -> outputs (B K, O), weights (B K, S) if there are any, what comes next."""

    def seen(self, h: Tensor, encoded: Encoded) -> Tensor:
        """What each step's output (T, B, H) finds in what was read, (T, B, C)."""
        assert self.attention is not None
        assert encoded.memory is not None
        return self.attention.look(h, encoded.memory)[0]

    def look(self, query: Tensor, memory: Memory | None) -> tuple[Tensor, Tensor]:
        """Queries (B K, Q), the K rows of a sentence together, at memories of B sentences."""
        assert self.attention is not None
        assert memory is not None
        beams = query.unflatten(0, (len(memory), -1)).transpose(0, 1)
        seen, weights = self.attention.look(beams, memory)
        return seen.transpose(0, 1).flatten(0, 1), weights.transpose(0, 1).flatten(0, 1)


class NotLooking(Decoder):
    """Without attention: all that is known of the source is in the first state (Sutskever et al. 2014)."""

    attention = None

    def __init__(self, stack: Recurrent, output_size: int) -> None:
        super().__init__()
        self.stack = stack
        self.readout = nn.Sequential(nn.Linear(stack.output_size, output_size), nn.Tanh())

    def parts(self) -> list[Recurrent | Stacked]:
        return [self.stack]

    def forward(self, y: Tensor, encoded: Encoded, lengths: Tensor | None) -> Tensor:
        h, _ = self.stack(y, _regrouped(self.stack, encoded.start), lengths=lengths)
        return self.readout(h)

    def write(self, y: Tensor, writing: Writing) -> tuple[Tensor, Tensor | None, Writing]:
        h, writing = writing.advance(0, y)
        return self.readout(h), None, writing


class LookingAfter(Decoder):
    """Attention behind the recurrence, so the whole target goes through the layers in one scan.

    h = layers(y),  c_t = look(h_t),  o_t = tanh(W [c_t; h_t] + b)
    """

    def __init__(self, stack: Recurrent, attention: Attention | MultiHeadAttention, output_size: int) -> None:
        super().__init__()
        self.stack, self.attention = stack, attention
        self.readout = ContextOutput(attention.output_size, stack.output_size, output_size)

    def parts(self) -> list[Recurrent | Stacked]:
        return [self.stack]

    def forward(self, y: Tensor, encoded: Encoded, lengths: Tensor | None) -> Tensor:
        h, _ = self.stack(y, _regrouped(self.stack, encoded.start), lengths=lengths)
        return self.readout(self.seen(h, encoded), h)

    def write(self, y: Tensor, writing: Writing) -> tuple[Tensor, Tensor | None, Writing]:
        h, writing = writing.advance(0, y)
        seen, weights = self.look(h, writing.memory)
        return self.readout(seen, h), weights, writing


class LookingBetween(Decoder):
    """Attention between the first layer and those above, which so remember what was seen; two scans for a target.

        h = first layer(y),  c_t = look(h_t),  z = layers above([c; h]),  o_t = tanh(W [c_t; z_t] + b)

    As in Wu et al. 2016, whose layers above read the contexts of the first layer's attention too.
    """

    def __init__(
        self, below: Recurrent, attention: Attention | MultiHeadAttention, above: Recurrent, output_size: int
    ) -> None:
        super().__init__()
        self.below, self.attention, self.above = below, attention, above
        self.dropout, self.per_sequence = below.dropout, below.dropout_per == "sequence"
        self.readout = ContextOutput(attention.output_size, above.output_size, output_size)

    def parts(self) -> list[Recurrent | Stacked]:
        return [self.below, self.above]

    def forward(self, y: Tensor, encoded: Encoded, lengths: Tensor | None) -> Tensor:
        first = _tensors(self.below)
        h, _ = self.below(y, _regrouped(self.below, encoded.start[:first]), lengths=lengths)
        seen = self.seen(h, encoded)
        both = torch.cat([seen, h], dim=-1)
        both = drop_features(both, self.dropout, training=self.training, per_sequence=self.per_sequence)
        z, _ = self.above(both, _regrouped(self.above, encoded.start[first:]), lengths=lengths)
        return self.readout(seen, z)

    def write(self, y: Tensor, writing: Writing) -> tuple[Tensor, Tensor | None, Writing]:
        h, writing = writing.advance(0, y)
        seen, weights = self.look(h, writing.memory)
        z, writing = writing.advance(1, torch.cat([seen, h], dim=-1))
        return self.readout(seen, z), weights, writing


class LookingInside(Decoder):
    """Attention within the recurrence; see `AttentionCell`."""

    def __init__(
        self, stack: Stacked, attention: Attention, output_size: int, attend: Literal["inside", "feeding"]
    ) -> None:
        super().__init__()
        self.stack = stack
        readout = ContextOutput(attention.output_size, stack.output_size, output_size)
        self.cell = AttentionCell(stack, attention, readout, attend)

    @property
    def attention(self) -> Attention:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.cell.attention

    def parts(self) -> list[Recurrent | Stacked]:
        return [self.stack]

    def shapes(self) -> list[Shapes]:
        *layers, top = super().shapes()
        return [*layers, (*top, self.cell.state_shapes[-1])]

    def forward(self, y: Tensor, encoded: Encoded, lengths: Tensor | None) -> Tensor:
        assert encoded.memory is not None
        outputs, _ = scan(self.cell, y, encoded.start, lengths=lengths, context=as_context(encoded.memory))
        return outputs

    def write(self, y: Tensor, writing: Writing) -> tuple[Tensor, Tensor | None, Writing]:
        memory, previous = writing.memory, writing.previous
        assert previous is not None
        if self.cell.attend == "inside":
            seen, weights = self.look(previous, memory)
            h, writing = writing.advance(0, torch.cat([y, seen], dim=-1))
            return self.cell.readout(seen, h), weights, replace(writing, previous=h)
        h, writing = writing.advance(0, torch.cat([y, previous], dim=-1))
        seen, weights = self.look(h, memory)
        output = self.cell.readout(seen, h)
        return output, weights, replace(writing, previous=output)


def _tensors(part: Recurrent | Stacked) -> int:
    """How many tensors a part remembers."""
    return sum(len(cell.state_shapes) for cell in part.cells)  # pyright: ignore


def _regrouped(layer: nn.Module, state: State) -> Any:
    """Flat tensors in the form of a layer's own state."""
    if not isinstance(layer, Recurrent):
        return state
    rest = iter(state)
    return tuple(tuple(next(rest) for _ in cell.state_shapes) for cell in layer.cells)  # pyright: ignore


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
        attend: Where the decoder looks: `after` the recurrence, so that the whole target trains in one scan; `between`
            its first layer and those above, which remember what was seen (Wu et al. 2016), in two scans; `inside`,
            before each step (Bahdanau et al. 2015); or `feeding`, after each step, with what came of it fed to the next
            (Luong et al. 2015).
        heads: Of `multi_head`.
        output_size: O; the target's width when omitted.
        decoder_layers: Layers of the decoder, where they are not as many as those of the encoder.
        bidirectional: Does the encoder read from both ends?
        regularisation: What `Recurrent` takes: residual, dropout, dropout_per, recurrent_dropout, zoneout, weight_drop.
            Dropout acts between the encoder and the attention too.

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
        attention: Look = "additive",
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
        self.dropout, self.per_sequence = inner.get("dropout", 0.0), inner.get("dropout_per") == "sequence"
        self.encoder = Recurrent(cell, source_size, hidden_size, num_layers, bidirectional=bidirectional, **inner)
        layers = decoder_layers or num_layers
        width: int = self.encoder.cells[-1].output_size  # pyright: ignore[reportAssignmentType]
        look = _attention(attention, width, self.encoder.output_size, hidden_size, heads)

        def stack(input_size: int, layers: int) -> Recurrent:
            return Recurrent(cell, input_size, hidden_size, layers, **inner)

        if look is None:
            self.decoder: Decoder = NotLooking(stack(target_size, layers), output_size)
        elif attend == "after":
            self.decoder = LookingAfter(stack(target_size, layers), look, output_size)
        elif attend == "between":
            if layers < 2:
                raise OptionError("attend = between expects two layers of the decoder or more; received 1")
            above = stack(look.output_size + width, layers - 1)
            self.decoder = LookingBetween(stack(target_size, 1), look, above, output_size)
        else:
            if not isinstance(look, Attention):
                raise OptionError(
                    f"attend = {attend} expects one look at a time; received attention = {attention}; "
                    "take attend = after, or one of the scores of a single look, such as additive"
                )
            cells = stack(target_size + (look.output_size if attend == "inside" else output_size), layers).cells
            stacked = Stacked(
                cells,
                residual=inner.get("residual", False),
                dropout=self.dropout,
                dropout_per=inner.get("dropout_per", "step"),
            )
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
        read = drop_features(read, self.dropout, training=self.training, per_sequence=self.per_sequence)
        return Encoded(None if look is None else look.prepare(read, lengths), self.bridge(states))

    def forward(self, y: Tensor, encoded: Encoded, lengths: Tensor | None = None) -> Tensor:
        """Outputs (T, B, O) for the vectors (T, B, I) of the units before each."""
        return self.decoder(y, encoded, lengths)

    def start(self, encoded: Encoded) -> Writing:
        """Begin to write each sentence, in one row each; for evaluation, without gradients."""
        return self.decoder.begin(encoded)

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
