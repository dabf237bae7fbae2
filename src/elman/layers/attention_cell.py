"""Attention inside the recurrence: what was seen at one step acts on the next.

Key: B batch, S time of the memory, C width of a context, H width of the cell's output, O width of a step's output.
"""

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from elman.engine import Cell, Context, State
from elman.layers.attention import Attention, ContextOutput, Memory

Attend = Literal["inside", "feeding"]


class AttentionCell(Cell):
    """A cell that looks at a memory at every step.

    `inside` looks before the step, with the output of the step before (Bahdanau, Cho and Bengio 2015):

        c_t = look(h_{t-1}),  h_t = cell([x_t; c_t]),  y_t = tanh(W [c_t; h_t] + b)

    `feeding` looks after it, and feeds what came of it to the next (Luong, Pham and Manning 2015, input feeding):

        h_t = cell([x_t; y_{t-1}]),  c_t = look(h_t),  y_t = tanh(W [c_t; h_t] + b)

    The memory comes as context: keys (B, S, A), values (B, S, C), and what is hidden (B, 1, S), 1 or 0. A step's
    weights are recorded as `attention`.

    Args:
        cell: It reads x_t next to c_t or to y_{t-1}.
        attention: How it looks.
        readout: What turns [c_t; h_t] into y_t.
        attend: When it looks.
    """

    def __init__(self, cell: Cell, attention: Attention, readout: ContextOutput, attend: Attend) -> None:
        remembered = cell.output_size if attend == "inside" else readout.output_size
        beside = attention.output_size if attend == "inside" else readout.output_size
        super().__init__(cell.input_size - beside, readout.output_size, (*cell.state_shapes, remembered))
        self.cell, self.attention, self.readout, self.attend = cell, attention, readout, attend

    def initial_state(self, batch: int) -> State:
        *_, last = super().initial_state(batch)
        return *self.cell.initial_state(batch), last

    def prepare(self) -> Mapping[str, Tensor]:
        return {f"cell.{name}": value for name, value in self.cell.prepare().items()}

    def draw_context(self, batch: int) -> Context:
        return self.cell.draw_context(batch)

    def forward(self, x: Tensor, state: State, context: Context = ()) -> tuple[Tensor, State]:
        *before, previous = state
        *drawn, keys, values, hidden = context
        memory = Memory(keys, values, hidden > 0)
        if self.attend == "inside":
            seen = self._look(previous, memory)
            h, after = self._step(torch.cat([x, seen], dim=-1), tuple(before), tuple(drawn))
            return self.readout(seen, h), (*after, h)
        h, after = self._step(torch.cat([x, previous], dim=-1), tuple(before), tuple(drawn))
        y = self.readout(self._look(h, memory), h)
        return y, (*after, y)

    def _step(self, x: Tensor, state: State, drawn: Context) -> tuple[Tensor, State]:
        return self.cell(x, state, drawn) if drawn else self.cell(x, state)

    def _look(self, query: Tensor, memory: Memory) -> Tensor:
        seen, weights = self.attention.look(query.unsqueeze(0), memory)
        self.record("attention", weights.squeeze(0))
        return seen.squeeze(0)


def as_context(memory: Memory) -> Context:
    """A memory as the context that `AttentionCell` expects."""
    hidden = memory.hidden
    if hidden is None:
        hidden = memory.keys.new_zeros(memory.keys.shape[0], 1, memory.keys.shape[1])
    return memory.keys, memory.values, hidden.to(memory.keys.dtype)
