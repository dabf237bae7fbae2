"""What a backend promises to `scan`."""

from dataclasses import dataclass, field
from typing import Protocol

from torch import Tensor

from elman.engine.cell import Cell, Context, State


@dataclass(frozen=True, eq=False)  # torch.compile cannot hash a half-made one
class Sequence:
    """One direction of one layer, ready to run; everything time-major and checked.

    Key: T time, B batch, I input size.
    """

    x: Tensor
    """(T, B, I), the input of every step."""
    state: State | None
    """The state before the first step; the cell's own when None."""
    lengths: Tensor | None = None
    """(B,), how many steps of each row count, on the CPU; all T when None."""
    resets: Tensor | None = None
    """(T, B), true where the state returns to its initial value before the step is taken."""
    context: Context = ()
    """Tensors (B, ...) that stay the same over time."""
    draws: tuple[Tensor, ...] = ()
    """(T, B, ...), what a traced step draws at random; each step gets its own at the end of the context."""
    reverse: bool = False
    """Walk from the last step to the first."""
    parameters: dict[str, Tensor] = field(default_factory=dict)
    """Values that stand in for the cell's own parameters, by name."""


class Backend(Protocol):
    """Runs a cell over time."""

    name: str

    def run(self, cell: Cell, sequence: Sequence) -> tuple[Tensor, State]:
        """Outputs (T, B, O), zero past a row's length, and the state after each row's last step."""
        ...
