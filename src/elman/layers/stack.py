"""Layers on top of each other, one or two directions each, over time.

Key: T time, B batch, D directions (1 or 2).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from elman.engine import Cell, State, scan, without_padding
from elman.layers.dropout import drop_features


@dataclass(frozen=True, eq=False)  # torch.compile cannot hash a half-made one
class Stack:
    """How outputs of one layer become inputs of the next."""

    cells: Sequence[Cell]
    """One for each layer and direction: layer 0 forward, layer 0 backward, layer 1 forward, ..."""
    directions: int = 1
    dropout: float = 0.0
    """Share of features dropped between layers; pass 0 outside training."""
    per_sequence: bool = False
    """One dropout mask for all steps of a sequence, instead of one a step."""
    residual: bool = False
    """Add a layer's input to its output wherever their widths agree."""
    parameters: Sequence[Mapping[str, Tensor]] | None = field(default=None)
    """Stand-ins for each cell's own parameters."""

    def __call__(
        self, x: Tensor, states: Sequence[State | None], lengths: Tensor | None, resets: Tensor | None
    ) -> tuple[Tensor, tuple[State, ...]]:
        """Outputs of the last layer (T, B, D*O), and the final state of each cell."""
        final: list[State] = []
        for first in range(0, len(self.cells), self.directions):
            inputs = x if first == 0 else self.drop(x)
            outputs = []
            for direction in range(self.directions):
                number = first + direction
                y, state = scan(
                    self.cells[number],
                    inputs,
                    states[number],
                    lengths=lengths,
                    resets=resets,
                    reverse=direction == 1,
                    parameters=None if self.parameters is None else self.parameters[number],
                )
                outputs.append(y)
                final.append(state)
            y = torch.cat(outputs, dim=-1) if self.directions > 1 else outputs[0]
            x = without_padding(x, lengths) + y if self.residual and x.shape == y.shape else y
        return x, tuple(final)

    def drop(self, x: Tensor) -> Tensor:
        return drop_features(x, self.dropout, training=True, per_sequence=self.per_sequence)
