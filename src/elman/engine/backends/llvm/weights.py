"""Weights as kernels see them: where they lie in tensors, and packed as the tiles read them.

Most are parameters that are read in another order, so only their address is asked for at a call; what has to be
computed is computed by PyTorch.
"""

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

import torch
from torch import Tensor

from elman.engine.affine import Affine
from elman.engine.backends.llvm import team
from elman.engine.backends.llvm.walk import Place, Walk, Word, shares
from elman.engine.nest import Index


@dataclass(frozen=True)
class Weight:
    """A tensor somewhere in memory.

    Args:
        place: Where it starts.
        strides: How far its entries are apart, in numbers.
    """

    place: Place
    strides: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Lying:
    """How all weights of a kernel lie in the tensors of a call.

    Args:
        weights: One for each weight of the plan; its place is in `weight i`, the i-th tensor.
        computed: Are these tensors computed from the caller's, rather than the caller's own?
    """

    weights: tuple[Weight, ...]
    computed: bool


class Weights:
    """What becomes of the caller's weights.

    Args:
        compute: (weights of the prelude) -> weights of the plan.
        dtype: Of the kernels.
        direct: Those that kernels read as they are, so that their numbers must stand one after the other.
    """

    def __init__(self, compute: Callable[..., Sequence[Tensor]], dtype: torch.dtype, direct: set[int]) -> None:
        self._compute, self._dtype, self._direct = compute, dtype, direct
        self._known: dict[object, Lying] = {}

    def __call__(self, given: Sequence[Tensor]) -> tuple[Sequence[Tensor], Lying]:
        """The tensors that hold the weights, and how these lie there."""
        key = tuple((each.shape, each.stride(), each.dtype) for each in given)
        lying = self._known.get(key)
        if lying is None:
            lying = self._known.setdefault(key, self._lying(given))
        return (self.computed(given) if lying.computed else given), lying

    def computed(self, given: Sequence[Tensor]) -> list[Tensor]:
        """All weights as tensors."""
        found = [each.to(self._dtype) for each in self._compute(*(each.detach() for each in given))]
        return [each.contiguous() if i in self._direct else each for i, each in enumerate(found)]

    def _lying(self, given: Sequence[Tensor]) -> Lying:
        alike = [torch.empty_strided(each.shape, each.stride(), dtype=each.dtype) for each in given]
        storages = [each.untyped_storage().data_ptr() for each in alike]
        values = self.computed(alike)
        if any(each.untyped_storage().data_ptr() not in storages for each in values):
            return Lying(tuple(Weight(Place(f"weight {i}"), each.stride()) for i, each in enumerate(values)), True)
        weights = []
        for each in values:
            number = storages.index(each.untyped_storage().data_ptr())
            offset = each.data_ptr() - alike[number].data_ptr()
            weights.append(Weight(Place(f"weight {number}", offset), each.stride()))
        return Lying(tuple(weights), False)


@dataclass(frozen=True)
class Panel:
    """The packed weights of one operand of a nest.

    Args:
        extents: Of the nest's loops.
        weights: For each sum that the operand takes part in: a weight, and which of its entries.
        length: Of the sums.
        repeat: Vectors of entries in a block.
        lanes: Numbers in a vector.
    """

    extents: tuple[int, ...]
    weights: tuple[tuple[int, Index], ...]
    length: int
    repeat: int
    lanes: int

    @property
    def work(self) -> int:
        """Multiplications for one row."""
        return prod(self.extents) * self.length * len(self.weights)

    @cached_property
    def blocks(self) -> int:
        """Blocks of entries in one turn of the outer loops."""
        return -(-self.extents[-1] // (self.repeat * self.lanes))

    @cached_property
    def all_blocks(self) -> int:
        """In all turns."""
        return prod(self.extents[:-1]) * self.blocks

    @cached_property
    def size(self) -> int:
        """Numbers in the packed weights."""
        return self.all_blocks * self.length * len(self.weights) * self.repeat * self.lanes

    def pack(self, function: int, weights: Sequence[Weight], to: Place, walk: Walk, itemsize: int) -> None:
        """Let the weights be packed."""
        lane, along = len(self.extents) - 1, len(self.extents)
        starts, flats = [], []
        for number, index in self.weights:
            flat = Affine()
            for place, stride in zip(index, weights[number].strides, strict=True):
                flat = flat + place * stride
            flats.append(flat)
            starts.append(weights[number].place + flat.start * itemsize)
        turns: list[list[Place]] = [starts]
        for loop, extent in enumerate(self.extents[:-1]):
            turns = [
                [place + flat.step(loop) * i * itemsize for place, flat in zip(turn, flats, strict=True)]
                for turn in turns
                for i in range(extent)
            ]
        share = shares(self.all_blocks, walk.threads)
        walk.hold(share)
        call: list[Word] = [
            to,
            walk.table([place for turn in turns for place in turn]),
            walk.table([flat.step(lane) for flat in flats]),
            walk.table([flat.step(along) for flat in flats]),
            self.length,
            self.extents[-1],
            self.blocks,
            len(self.weights),
            self.repeat,
            ctypes.addressof(share),
            team.number_address(),
        ]
        walk.add(function, call)
