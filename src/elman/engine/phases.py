"""What a plan is made of: phases, their stages, and the sums over rows and time that follow.

A phase is a way through a step: forward for inference, forward for training, backward. Its stages are one matrix
product (or several) or a run of loops over one row each.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from elman.engine.graph import Node
from elman.engine.nest import Buffer, Nest
from elman.engine.step import Step

FORWARD_LEAVES = {"x": "time", "state": "before", "context": "position", "draw": "time", "weight": "shared"}
TURNING = ("carried", "carries")
"""Buffers that later steps write over."""
BACKWARD_LEAVES = FORWARD_LEAVES | {"output_gradient": "time", "state_gradient": "carried"}


@dataclass(frozen=True)
class Stage:
    """Nests that run one after the other, for each row or, with sums of products, for a tile of rows at a time."""

    nests: tuple[Nest, ...]
    after: bool = False
    """Does it run for all steps of a chunk at once, after the loop over time?"""

    @property
    def products(self) -> bool:
        """Does it take matrix products?"""
        return bool(self.nests[0].slots)

    @property
    def buffers(self) -> Iterator[Buffer]:
        """What it reads and writes, in order, with repetitions."""
        for nest in self.nests:
            yield from (operand.buffer for slot in nest.slots for operand, _ in slot.terms)
            yield from (line.buffer for line in nest.body if line.buffer is not None)


@dataclass
class Phase:
    """A way through a step: its stages in order, and the buffers of values that only it needs.

    Args:
        stages: What runs.
        buffers: By value, everything that lies in memory, leaves too.
        made: Those that the phase stores into.
    """

    stages: tuple[Stage, ...]
    buffers: dict[Node, Buffer]
    made: tuple[Buffer, ...] = ()

    @property
    def values(self) -> list[Buffer]:
        """Buffers that the phase makes for itself."""
        return [buffer for buffer in self.made if buffer.role == "value"]


@dataclass(frozen=True)
class Factor:
    """One side of a product that is summed over rows and time; all ones where it has no buffer."""

    buffer: Buffer | None
    places: tuple[int, ...]
    """Where the vector starts in the row's entry, for each head and, within it, each entry that is summed over."""
    size: int


@dataclass(frozen=True)
class Contraction:
    """A sum over rows and time of outer products, (heads, M, N)."""

    left: Factor
    right: Factor
    heads: int


@dataclass(frozen=True)
class Plan:
    """All that the kernels of a cell do."""

    step: Step
    inference: Phase
    forward: Phase
    backward: Phase
    saved: dict[Node, Buffer]
    contractions: tuple[Contraction, ...]

    @property
    def buffers(self) -> list[Buffer]:
        """All that kernels look at."""
        stages = (stage for phase in (self.inference, self.forward, self.backward) for stage in phase.stages)
        return list(dict.fromkeys([*(buffer for stage in stages for buffer in stage.buffers), *self.factors]))

    @property
    def factors(self) -> list[Buffer]:
        """Buffers that sums over rows look at."""
        sides = (side for each in self.contractions for side in (each.left, each.right))
        return list(dict.fromkeys(side.buffer for side in sides if side.buffer is not None))
