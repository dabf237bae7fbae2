"""Named intermediates of a cell over time: the gates, as `Cell.record` names them.

Nothing is kept, and nothing costs anything, unless somebody listens.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor

from elman.engine.settled import settled
from elman.errors import CellError

State = tuple[Tensor, ...]

_step: ContextVar[dict[str, Tensor] | None] = ContextVar("step", default=None)
_listener: ContextVar["Recording | None"] = ContextVar("listener", default=None)


class Recording(list[dict[str, Tensor]]):
    """One entry for every layer and direction that ran, in order: name -> (T, B, ...)."""

    states: bool = False
    """Is the state behind each step wanted too?"""


@contextmanager
def recording(*, states: bool = False) -> Iterator[Recording]:
    """Collect what the cells record while the block runs.

    Args:
        states: Keep the state behind each step too: `hidden`; of two tensors `hidden` and `cell`, as LSTMs have them;
            of more `state 1`, `state 2` and so on.

    Example:
        >>> from elman.layers import LSTM
        >>> with recording() as gates:
        ...     _ = LSTM(3, 4)(torch.randn(5, 2, 3))
        >>> gates[0]["forget_gate"].shape
        torch.Size([5, 2, 4])
    """
    heard = Recording()
    heard.states = states
    token = _listener.set(heard)
    try:
        yield heard
    finally:
        _listener.reset(token)


def record(name: str, value: Tensor) -> Tensor:
    """Keep `value` for the step that runs now, if somebody listens; gives it back unchanged."""
    step = _kept()
    if step is not None:
        step[name] = value
    return value


@settled
def _kept() -> dict[str, Tensor] | None:
    return _step.get()


@settled
def listened() -> bool:
    """Does anybody want the named intermediates?"""
    return _listener.get() is not None


def named_states(state: State) -> dict[str, Tensor]:
    """The state behind a step by name, where somebody wants it."""
    listener = _listener.get() if listened() else None
    if listener is None or not listener.states:
        return {}
    names = ("hidden", "cell") if len(state) <= 2 else [f"state {number}" for number in range(1, len(state) + 1)]
    return dict(zip(names, state, strict=False))


@contextmanager
def recorded_step() -> Iterator[dict[str, Tensor]]:
    """What one step of a cell records."""
    values: dict[str, Tensor] = {}
    token = _step.set(values)
    try:
        yield values
    finally:
        _step.reset(token)


def keep(steps: list[dict[str, Tensor]]) -> None:
    """Hand the steps of one run to whoever listens, stacked over time; no steps make an empty entry.

    Raises:
        CellError: A name was recorded at some steps only.
    """
    if not listened():
        return
    listener = _listener.get()
    assert listener is not None
    names = dict.fromkeys(name for step in steps for name in step)
    for name in names:
        if any(name not in step for step in steps):
            raise CellError(f"record expects '{name}' at every step; received it at some only")
    listener.append({name: torch.stack([step[name] for step in steps]) for name in names})
