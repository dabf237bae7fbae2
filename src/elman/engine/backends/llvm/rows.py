"""The order in which kernels walk through rows and steps, and the tables that lead from there to memory.

The engine has an order of its own: step after step, in each step the rows that are still alive, longest first. Row n
of that order is one sequence at one step. So work follows the sum of lengths, a reversed sequence is one read from its
end, and a reset is a row that looks for its state elsewhere.

Key: T time, B batch, N rows at all steps, s a step, p a place among the rows of a step, b a row of the batch.
"""

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import torch
from torch import Tensor

from elman.engine.backends.llvm.walk import Words, words


@dataclass(frozen=True, eq=False)
class Rows:
    """Where each n finds its entries, and how many there are.

    Args:
        batch: B.
        total: N.
        offsets: (S,), the first n of each step.
        counts: (S,), how many rows are alive.
        time: (N,), the entry in a tensor (T, B, ...).
        position: (N,), b.
        before: (N,), where the state before the step lies: first B entries for the initial states, then what `after`
            says, at last B entries for the states after a reset.
        after: (N,), where the state goes.
        states: Entries in a buffer of states.
        last: (B,), the entry with a row's last state.
        carried: (N,), where the gradient of the state after the step lies: B entries for those of the last states,
            twice B that are used in turn, one of zeros, and one for each reset.
        carries: (N,), where the gradient of the state before the step goes.
        gradients: Entries in a buffer of gradients of states.
        first: (B,), the entry with the gradient of a row's initial state.
        sinks: (E,), the entries with gradients that resets lead to, and `reset_rows`, whose they are.
    """

    batch: int
    total: int
    offsets: Tensor
    counts: Tensor
    time: Tensor
    position: Tensor
    before: Tensor
    after: Tensor
    states: int
    last: Tensor
    carried: Tensor
    carries: Tensor
    gradients: int
    first: Tensor
    sinks: Tensor
    reset_rows: Tensor
    lasting: bool = False
    """Will other calls have the same?"""

    @property
    def steps(self) -> int:
        """How many steps the longest row has."""
        return len(self.counts)

    @cached_property
    def tables(self) -> dict[str, int]:
        """Where the tables are in memory."""
        names = ("time", "before", "after", "carried", "carries", "position", "offsets", "counts")
        return {name: getattr(self, name).data_ptr() for name in names}

    @cached_property
    def starts(self) -> list[int]:
        """The first n of each step, and the n after the last one."""
        return [*self.offsets.tolist(), self.total]

    def share(self, parts: int) -> Words:
        """The shares of several threads, as kernels read them."""
        return words(self.shares(parts))

    def shares(self, parts: int) -> list[int]:
        """The places of rows that each of several threads takes, a pair of bounds for each: about equal work."""
        work = (self.counts[:, None] > torch.arange(self.batch)).sum(0).cumsum(0)
        bounds = [int(torch.searchsorted(work, self.total * i / parts)) for i in range(1, parts)]
        inner = [min(bound + 1, self.batch) for bound in bounds]
        return [bound for pair in zip([0, *inner], [*inner, self.batch], strict=True) for bound in pair]


def rows(time: int, batch: int, lengths: Tensor | None, resets: Tensor | None, reverse: bool, keep: bool) -> Rows:
    """The rows of a call.

    Args:
        time: T.
        batch: B.
        lengths: (B,), or all T.
        resets: (T, B), or never.
        reverse: Walk from each row's end to its start.
        keep: Are all states kept for the way back, or only the last ones?
    """
    if resets is not None:
        return _rows(time, batch, lengths, resets, reverse, keep)
    if lengths is None or (batch and int(lengths.min()) == time):
        return _plain(time, batch, reverse, keep)
    return _unequal(time, tuple(lengths.tolist()), reverse, keep)


@lru_cache(maxsize=64)
def _plain(time: int, batch: int, reverse: bool, keep: bool) -> Rows:
    return replace(_rows(time, batch, None, None, reverse, keep), lasting=True)


@lru_cache(maxsize=4)
def _unequal(time: int, lengths: tuple[int, ...], reverse: bool, keep: bool) -> Rows:
    """The layers of a network ask for the same one after the other."""
    return _rows(time, len(lengths), torch.tensor(lengths, dtype=torch.long), None, reverse, keep)


def _rows(time: int, batch: int, lengths: Tensor | None, resets: Tensor | None, reverse: bool, keep: bool) -> Rows:
    with torch.inference_mode(False), torch.no_grad():
        lengths = torch.full((batch,), time) if lengths is None else lengths.long()
        order = torch.argsort(lengths, descending=True, stable=True)
        place = torch.argsort(order)
        alive = torch.arange(time)[:, None] < lengths[order]
        counts = alive.sum(1)
        counts = counts[: int((counts > 0).sum())]
        offsets = counts.cumsum(0) - counts
        step, p = alive.nonzero(as_tuple=True)
        b = order[p]
        total = len(step)
        n = torch.arange(total)
        t = lengths[b] - 1 - step if reverse else step
        again = resets[t, b] if resets is not None else torch.zeros(total, dtype=torch.bool)
        start, end = step == 0, step == lengths[b] - 1
        after = batch + (n if keep else (step % 2) * batch + b)
        before = _earlier(after, step, p, offsets)
        before = torch.where(start, b, before)
        states = batch + (total if keep else 2 * batch)
        before = torch.where(again, states + b, before)
        last = torch.arange(batch)
        some = lengths > 0
        last[some] = after[(offsets[lengths[some] - 1] + place[some])]
        events = int(again.sum())
        carries = batch + (step % 2) * batch + b
        carried = batch + ((step + 1) % 2) * batch + b
        carried = torch.where(end, b, carried)
        if events:
            later = (offsets.roll(-1)[step] + p).clamp(max=total - 1)
            carried = torch.where(~end & again[later], 3 * batch, carried)
        sinks = 3 * batch + 1 + torch.arange(events)
        carries[again] = sinks
        first = torch.where(some, batch + torch.arange(batch), torch.arange(batch))
        if events and total:
            begun = torch.zeros(batch, dtype=torch.bool)
            begun[b[start]] = again[start]
            first = torch.where(begun, 3 * batch, first)
        return Rows(
            batch, total, offsets, counts, t * batch + b, b, before, after, states + batch * bool(events),
            last, carried, carries, 3 * batch + 1 + events, first, sinks, b[again],
        )  # fmt: skip


def _earlier(after: Tensor, step: Tensor, p: Tensor, offsets: Tensor) -> Tensor:
    """What `after` says of the same row a step earlier."""
    if not len(step):
        return after
    return after[(offsets[(step - 1).clamp(min=0)] + p).clamp(max=len(after) - 1)]
