"""A network on a batch, forward or forward and backward, as every contestant in PyTorch is run."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import increment_version
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import elman
from engine.shapes import Batch

Call = Callable[[Any, Batch], Tensor]


def layer(module: nn.Module, batch: Batch) -> Tensor:
    """A layer of PyTorch or Elman; only Elman's take lengths."""
    return module(batch.x)[0] if batch.lengths is None else module(batch.x, lengths=batch.lengths)[0]


def packed(module: nn.Module, batch: Batch) -> Tensor:
    """A layer of PyTorch on rows of different lengths: padded in, padded out, as Elman's."""
    assert batch.lengths is not None
    sequence = pack_padded_sequence(batch.x, batch.lengths, enforce_sorted=False)
    return pad_packed_sequence(module(sequence)[0], total_length=len(batch.x))[0]


def loop(cell: Any, batch: Batch) -> Tensor:
    """Any cell, as one writes it by hand. `unbind` first: x[t] would make the backward pass quadratic in T."""
    state = cell.initial_state(batch.x.shape[1])
    outputs = []
    for x in batch.x.unbind(0):
        output, state = cell(x, state)
        outputs.append(output)
    return torch.stack(outputs)


def plain(cell: elman.Cell) -> elman.Cell:
    """A copy of the cell as somebody without Elman has it: nothing records gates or looks for a dropout mask.

    That would cost the loop some microseconds a step, and `torch.compile` cannot trace it.
    """
    cell = deepcopy(cell)
    for module in cell.modules():
        if isinstance(module, elman.Cell):
            module.record = _value  # pyright: ignore[reportAttributeAccessIssue]
            module.recurrent = _same  # pyright: ignore[reportAttributeAccessIssue]
    return cell


def _value(name: str, value: Tensor) -> Tensor:
    return value


def _same(hidden: Tensor) -> Tensor:
    return hidden


@dataclass(frozen=True)
class Run:
    """What is called, with what.

    By default the weights count as changed at every call, as in training: who packs them must pack them again.
    """

    module: nn.Module
    call: Call
    batch: Batch
    changed: bool = True

    def forward(self) -> tuple[Tensor]:
        """The output alone, as in inference."""
        self._change()
        with torch.no_grad():
            return (self.call(self.module, self.batch),)

    def train(self) -> tuple[Tensor, ...]:
        """The output, and the gradients of the input and of all weights."""
        self._change()
        y = self.call(self.module, self.batch)
        return y.detach(), *torch.autograd.grad(
            y, (self.batch.x, *self.module.parameters()), self.batch.cotangent, materialize_grads=True
        )

    def double(self) -> "Run":
        """The same in f64."""
        return replace(self, module=deepcopy(self.module).double(), batch=self.batch.double())

    def _change(self) -> None:
        if self.changed:
            increment_version(self.module.parameters())
