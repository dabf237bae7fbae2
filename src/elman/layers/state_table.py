"""States of many sequences that go on side by side, all in one piece of memory.

Key: N rows.
"""

from collections.abc import Sequence

import torch

from elman.layers.recurrent import LayerState

FIRST = 16
"""Rows at first; there are twice as many whenever they do not suffice."""


class StateTable:
    """Rows of states that come and go: nothing small is left between what is large.

    Args:
        initial: The state before the first step, a batch of one.

    Example:
        >>> table = StateTable(((torch.zeros(1, 4),),))
        >>> row = table.take()
        >>> table.put([row], ((torch.ones(1, 4),),))
        >>> table.get([row, row])[0][0].shape
        torch.Size([2, 4])
    """

    def __init__(self, initial: LayerState) -> None:
        self.initial = initial
        self.states = self._fresh(FIRST)
        self.free = list(range(FIRST))

    def take(self) -> int:
        """A row, in the initial state."""
        if not self.free:
            count = len(self.states[0][0])
            more = self._fresh(count)
            pairs = zip(self.states, more, strict=True)
            self.states = tuple(tuple(map(torch.cat, zip(old, new, strict=True))) for old, new in pairs)
            self.free = list(range(count, 2 * count))
        row = self.free.pop()
        self.put([row], self.initial)
        return row

    def give(self, row: int) -> None:
        """A row that nobody needs any more."""
        self.free.append(row)

    def get(self, rows: Sequence[int]) -> LayerState:
        """A copy of the states of some rows, a batch (N, ...)."""
        index = torch.tensor(rows)
        return tuple(tuple(each.index_select(0, index) for each in cell) for cell in self.states)

    def put(self, rows: Sequence[int], state: LayerState) -> None:
        """Write the states of some rows, a batch (N, ...)."""
        index = torch.tensor(rows)
        for cell, new in zip(self.states, state, strict=True):
            for each, values in zip(cell, new, strict=True):
                each.index_copy_(0, index, values)

    def _fresh(self, count: int) -> LayerState:
        return tuple(tuple(each.detach().repeat_interleave(count, 0) for each in cell) for cell in self.initial)
