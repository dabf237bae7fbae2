"""The layer's door: whatever shape a caller's sequences have, inside they are time-major and batched.

Key: T time, B batch, F features.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from elman.errors import ShapeError


@dataclass(frozen=True, eq=False)  # torch.compile cannot hash a half-made one
class Inside:
    """A caller's sequences as the engine wants them, and the way back out."""

    x: Tensor
    """(T, B, F)."""
    lengths: Tensor | None
    resets: Tensor | None
    """(T, B)."""
    batched: bool
    """Had the caller's input a batch dimension?"""
    close: Callable[[Tensor], Tensor | PackedSequence]
    """Turns outputs (T, B, O) into the caller's own form."""


def enter(
    x: Tensor | PackedSequence, batch_first: bool, lengths: Tensor | None = None, resets: Tensor | None = None
) -> Inside:
    """Take padded, unbatched or packed sequences in.

    Raises:
        ShapeError: The input is none of these, or lengths came beside a PackedSequence.
    """
    if isinstance(x, PackedSequence):
        return _enter_packed(x, lengths, resets)
    if not isinstance(x, Tensor):
        raise ShapeError(f"expected a tensor or a PackedSequence; received a {type(x).__name__}; try torch.as_tensor")
    lengths = None if lengths is None else as_tensor("lengths", lengths)
    resets = None if resets is None else as_tensor("resets", resets)
    if x.dim() not in (2, 3):
        raise ShapeError(
            "expected input of shape (time, features), (time, batch, features), or (batch, time, features) with "
            f"batch_first; received {x.dim()} dimensions, {tuple(x.shape)}"
        )
    if resets is not None and resets.dim() != x.dim() - 1:
        raise ShapeError(f"resets expects shape {tuple(x.shape[:-1])}, as the input; received {tuple(resets.shape)}")
    if x.dim() == 2:
        resets = None if resets is None else resets.unsqueeze(1)
        lengths = None if lengths is None else lengths.reshape(-1)
        return Inside(x.unsqueeze(1), lengths, resets, batched=False, close=lambda y: y.squeeze(1))
    if not batch_first:
        return Inside(x, lengths, resets, batched=True, close=lambda y: y)
    resets = None if resets is None else resets.transpose(0, 1)
    return Inside(x.transpose(0, 1), lengths, resets, batched=True, close=lambda y: y.transpose(0, 1))


def as_tensor(name: str, values: Any) -> Tensor:
    """A tensor from a tensor or from numbers."""
    try:
        return torch.as_tensor(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ShapeError(f"{name} expects a tensor or numbers; received {values!r}") from error


def _enter_packed(packed: PackedSequence, lengths: Tensor | None, resets: Tensor | None) -> Inside:
    if lengths is not None:
        raise ShapeError("a PackedSequence brings its own lengths; leave lengths= away")
    x, lengths = pad_packed_sequence(packed)

    def close(y: Tensor) -> PackedSequence:
        order = packed.sorted_indices
        ordered, counts = (y, lengths) if order is None else (y.index_select(1, order), lengths[order.cpu()])
        data = pack_padded_sequence(ordered, counts).data
        return PackedSequence(data, packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices)

    return Inside(x, lengths, resets, batched=True, close=close)


def last_outputs(y: Tensor, lengths: Tensor | None, directions: int) -> Tensor:
    """The output of the last step that each direction takes: (T, B, D*O) -> (B, D*O)."""
    time, batch, width = y.shape
    if not time:
        raise ShapeError("the last output of an empty sequence does not exist; give at least one step")
    last = torch.full((batch,), time - 1) if lengths is None else (lengths.long() - 1).clamp(min=0)
    forward = y[last.to(y.device), torch.arange(batch, device=y.device), : width // directions]
    return forward if directions == 1 else torch.cat([forward, y[0, :, width // 2 :]], dim=-1)
