"""Sums over rows and time of outer products: the gradients of weights, a chunk of time after the other."""

import ctypes
from collections.abc import Mapping, Sequence
from functools import lru_cache

import torch
from torch import Tensor

from elman.engine.backends.llvm import team
from elman.engine.backends.llvm.library import DEPTH, SPAN, WIDEST, library
from elman.engine.backends.llvm.target import host
from elman.engine.backends.llvm.tiles import ROWS
from elman.engine.backends.llvm.walk import Place, Walk, Word, shares, whole
from elman.engine.phases import Contraction, Factor


class Sums:
    """Where rows find their entries, and where the sums over them go.

    Args:
        contractions: The sums.
        places: Where buffers start, and `sum i`, the i-th sum (heads, M, N).
        tables: Tables of rows.
        dtype: Of the numbers.
        walk: What is to be done.
    """

    def __init__(
        self,
        contractions: Sequence[Contraction],
        places: Mapping[tuple[str, int], Place],
        tables: Mapping[str, int],
        dtype: torch.dtype,
        walk: Walk,
    ) -> None:
        self.contractions, self.places, self.tables, self.dtype, self.walk = contractions, places, tables, dtype, walk
        self._shapes = [_Shape(each, walk.threads, host().lanes(dtype)) for each in contractions]
        self._size = max((shape.scratch for shape in self._shapes), default=0)
        self._scratch = walk.room(self._size * walk.threads * dtype.itemsize)

    def add(self, first: int, last: int, fresh: bool) -> None:
        """Let the outer products of the rows from n = `first` up to `last` be added to the sums, or start them."""
        for number, (contraction, shape) in enumerate(zip(self.contractions, self._shapes, strict=True)):
            to, each = Place(f"sum {number}"), len(contraction.right.places) // contraction.heads
            for place in range(each * contraction.heads):
                head, i = divmod(place, each)
                there = to + head * shape.m * shape.c * self.dtype.itemsize
                self._add(contraction, shape, place, there, first, last, fresh and i == 0)

    def _add(
        self, contraction: Contraction, shape: "_Shape", place: int, to: Place, first: int, last: int, fresh: bool
    ) -> None:
        left, right = contraction.left, contraction.right
        tiles, panels = shape.shares
        self.walk.hold(shape)
        call: list[Word] = [
            to,
            shape.m,
            shape.c,
            *self._side(left, place if left.buffer else 0),
            *self._side(right, place),
            first,
            last,
            ctypes.addressof(tiles),
            ctypes.addressof(panels),
            self._scratch,
            self._size,
            int(fresh),
            team.number_address(),
        ]
        self.walk.add(library(self.dtype)[f"outer_{shape.vectors}"], call)

    def _side(self, factor: Factor, place: int) -> tuple[Word, Word, Word]:
        """Where one side starts, its table, and the size of a row's entry."""
        if factor.buffer is None:
            return _one(self.dtype).data_ptr(), 0, 0
        table = self.tables.get(factor.buffer.rows, 0)
        start = self.places[factor.buffer.role, factor.buffer.number] + factor.places[place] * self.dtype.itemsize
        return start, table, 0 if factor.buffer.rows == "shared" else factor.buffer.size


class _Shape:
    """How threads share a product (M, N), by its tiles of rows or, where these are few, by its panels of columns."""

    def __init__(self, contraction: Contraction, threads: int, lanes: int) -> None:
        self.m, self.c = contraction.left.size, contraction.right.size
        self.vectors = next(v for v in (1, 2, WIDEST) if v * lanes >= self.c or v == WIDEST)
        tiles, panels = -(-self.m // ROWS), -(-self.c // (self.vectors * lanes))
        by_tiles = tiles >= threads
        self.shares = (
            (shares(tiles, threads), whole(panels, threads))
            if by_tiles
            else (whole(tiles, threads), shares(panels, threads))
        )
        widest = -(-tiles // threads) if by_tiles else tiles
        together = max(lanes // ROWS, 1)
        self.scratch = -(-widest // together) * together * SPAN + DEPTH * self.vectors * lanes
        """Numbers that each thread needs for itself."""


@lru_cache(maxsize=2)
def _one(dtype: torch.dtype) -> Tensor:
    return torch.ones(1, dtype=dtype)
