"""Sums over rows and time of outer products: the gradients of weights, a chunk of time after the other."""

import ctypes
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

import torch

from elman.engine.backends.llvm import team
from elman.engine.backends.llvm.library import library
from elman.engine.backends.llvm.summing import DEPTH, SPAN, WIDEST, WIDTHS
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
        self.places, self.tables, self.dtype, self.walk = places, tables, dtype, walk
        self._groups = _groups(contractions)
        self._shapes = [_Shape(each, walk.threads, host().lanes(dtype)) for each in contractions]
        self._size = max((shape.scratch for shape in self._shapes), default=0)
        self._scratch = walk.room(self._size * walk.threads * dtype.itemsize)
        walk.hold(self._shapes)

    def add(self, first: int, last: int, fresh: bool) -> None:
        """Let the outer products of the rows from n = `first` up to `last` be added to the sums, or start them."""
        for group in self._groups:
            totals, others = ([each for each in group if each.total is kind] for kind in (True, False))
            if others:
                self.walk.add(library(self.dtype)["outer"], self._outer(others, totals, first, last, fresh))
                continue
            for each in totals:
                call = [*self._right(each, fresh), first, last, team.number_address()]
                self.walk.add(library(self.dtype)["total"], call)

    def _outer(
        self, products: Sequence["_Product"], totals: Sequence["_Product"], first: int, last: int, fresh: bool
    ) -> list[Word]:
        shape = self._shapes[products[0].number]
        return [
            shape.m,
            *self._side(products[0].left, products[0].place),
            first,
            last,
            ctypes.addressof(shape.tiles),
            self._scratch,
            self._size,
            team.number_address(),
            len(totals) + len(products),
            *(word for each in (*totals, *products) for word in self._right(each, fresh)),
        ]

    def _right(self, product: "_Product", fresh: bool) -> list[Word]:
        """The right side of one, and where it goes."""
        shape = self._shapes[product.number]
        return [
            Place(f"sum {product.number}") + product.head * shape.m * shape.c * self.dtype.itemsize,
            shape.c,
            *self._side(product.right, product.place),
            ctypes.addressof(shape.panels),
            int(fresh and product.starts),
            0 if product.total else shape.vectors,
        ]

    def _side(self, factor: Factor, place: int) -> tuple[Word, Word, Word]:
        """Where one side starts, its table, and the size of a row's entry."""
        assert factor.buffer is not None
        table = self.tables.get(factor.buffer.rows, 0)
        start = self.places[factor.buffer.role, factor.buffer.number] + factor.places[place] * self.dtype.itemsize
        return start, table, 0 if factor.buffer.rows == "shared" else factor.buffer.size


@dataclass(frozen=True)
class _Product:
    """One outer product of a contraction.

    Args:
        number: The contraction's.
        contraction: Of which it is.
        place: Of its vectors in both factors.
    """

    number: int
    contraction: Contraction
    place: int

    @property
    def left(self) -> Factor:
        return self.contraction.left

    @property
    def right(self) -> Factor:
        return self.contraction.right

    @property
    def total(self) -> bool:
        """Is it the vector itself, for there is none on the left?"""
        return self.left.buffer is None

    @property
    def each(self) -> int:
        """How many are added up for a head."""
        return len(self.right.places) // self.contraction.heads

    @property
    def head(self) -> int:
        return self.place // self.each

    @property
    def starts(self) -> bool:
        """Is it the first of its head?"""
        return self.place % self.each == 0


def _groups(contractions: Sequence[Contraction]) -> list[list[_Product]]:
    """Those that have the same vector on the left go together, unless others come before them in the same sum; and what
    adds that vector up goes with them, for then it is near.
    """
    groups: dict[Hashable, list[_Product]] = {}
    alone = count()
    for number, contraction in enumerate(contractions):
        for place in range(len(contraction.right.places)):
            product, left = _Product(number, contraction, place), contraction.left
            side = product.right if product.total else left
            key = (side.buffer, side.places[place], side.size) if product.each == 1 else next(alone)
            groups.setdefault(key, []).append(product)
    return list(groups.values())


class _Shape:
    """How threads share a product (M, N), by its tiles of rows or, where these are few, by its panels of columns."""

    def __init__(self, contraction: Contraction, threads: int, lanes: int) -> None:
        self.m, self.c = contraction.left.size, contraction.right.size
        total = contraction.left.buffer is None
        self.vectors = WIDEST if total else next(v for v in WIDTHS if v * lanes >= self.c or v == WIDEST)
        tiles, panels = -(-self.m // ROWS), -(-self.c // (self.vectors * lanes))
        by_tiles = tiles >= threads
        self.tiles = shares(tiles, threads) if by_tiles else whole(tiles, threads)
        self.panels = whole(panels, threads) if by_tiles and not total else shares(panels, threads)
        widest = -(-tiles // threads) if by_tiles else tiles
        together = max(lanes // ROWS, 1)
        self.scratch = -(-widest // together) * together * SPAN + DEPTH * self.vectors * lanes
        """Numbers that each thread needs for itself."""
