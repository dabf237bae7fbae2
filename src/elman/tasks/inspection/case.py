"""One input as a network reads it, and what it says of it.

Key: T steps, N sequences side by side, F features.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn


@dataclass(frozen=True)
class Case:
    """An input in the hands of a network."""

    steps: Sequence[str]
    """What is read at each step, for people."""
    body: nn.Module
    """The layers that read the steps, called with (T, N, F)."""
    answer: Any
    """What the network says."""
    score: Callable[[], Tensor]
    """Reads the input: one number, the larger the surer the network is of its answer."""
    written: Sequence[str] = ()
    """What is written, unit by unit, where there is an alignment."""
    alignment: Tensor | None = None
    """How much of each step was looked at for each unit written, (units, T)."""
    row: int = 0
    """Of the N sequences that are read side by side, such as the columns of an image, the one that is shown."""

    @contextmanager
    def reading(self, change: Callable[[Tensor], Tensor | None]) -> Iterator[None]:
        """Within the block, the body reads what `change` makes of its first input; None leaves it.

        What it reads after that, such as its own answers, is left as it is.
        """
        begun = False

        def hook(_: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...] | None:
            nonlocal begun
            changed, begun = None if begun else change(inputs[0]), True
            return None if changed is None else (changed, *inputs[1:])

        handle = self.body.register_forward_pre_hook(hook)
        try:
            yield
        finally:
            handle.remove()

    def vectors(self) -> Tensor:
        """What the body reads, (T, N, F)."""
        seen: list[Tensor] = []
        with self.reading(lambda x: seen.append(x.detach())):
            self.score()
        return seen[0]
