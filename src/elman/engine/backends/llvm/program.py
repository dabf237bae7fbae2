"""A cell's kernels, ready to run: what a call needs is laid out, packed and handed over.

Key: T time, B batch, N rows at all steps.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from math import prod
from typing import Any

import torch
from torch import Tensor

from elman.engine.affine import Affine
from elman.engine.backends.llvm import team
from elman.engine.backends.llvm.cache import addresses
from elman.engine.backends.llvm.kernel import HEADER, KernelText, kernel_text
from elman.engine.backends.llvm.library import DEPTH, SPAN, WIDEST, library_text
from elman.engine.backends.llvm.memory import take
from elman.engine.backends.llvm.rows import Rows
from elman.engine.backends.llvm.target import host
from elman.engine.backends.llvm.tiles import ROWS, Run, Tiling
from elman.engine.capture import Captured
from elman.engine.nest import Nest
from elman.engine.plan import Contraction, Factor, Phase, Plan

CHUNK = 64
"""Steps whose products of the input are taken ahead at once."""
LONGEST = 1024
"""Steps that the way back takes at once."""
BYTES = 1 << 23
"""Of values that the way back makes, before it adds up the gradients of weights and starts anew."""


class Kernel:
    """A phase, compiled."""

    def __init__(self, phase: Phase, dtype: torch.dtype) -> None:
        self.dtype = dtype
        self.text: KernelText = kernel_text(phase, dtype, host())
        self.layout = self.text.layout
        found = addresses(self.text.text, ("loop", "after", "ahead"))
        self.loop, self.after, self.ahead = found["loop"], found["after"], found["ahead"]
        self.constants = torch.tensor(self.layout.constants or [0.0], dtype=dtype)
        lanes = host().lanes(dtype)
        self.panels = [Panel(nest, plan, run, lanes) for nest, plan, run in self.layout.panels]
        self.hoists = [Hoist(nest, plan, lanes) for nest, plan in self.layout.hoists]
        self.values = [buffer for buffer in self.layout.buffers if buffer.role == "value"]
        self.work = sum(panel.work for panel in self.panels)
        """Multiplications for one row at one step."""
        self._header = {
            "constants": self.constants.data_ptr(),
            "number": team.number_address(),
            "barrier": team.barrier_address(),
        }

    def call(
        self,
        tables: dict[str, int],
        pointers: dict[tuple[str, int], int],
        panels: Sequence[int],
        hoists: Sequence[int] = (),
    ) -> "ctypes.Array[ctypes.c_int64]":
        """The words of a call.

        Args:
            tables: Words of the header, by name.
            pointers: Where buffers start, by role and number.
            panels: Where packed weights start.
            hoists: Where sums taken ahead start; none are when omitted.
        """
        tables = self._header | tables
        header = [tables.get(name, 0) for name in HEADER]
        buffers = [pointers[buffer.role, buffer.number] for buffer in self.layout.buffers]
        hoists = hoists or [0] * len(self.hoists)
        return words([*header, *buffers, *panels, *hoists, *self.layout.sizes])


def words(values: Sequence[int]) -> "ctypes.Array[ctypes.c_int64]":
    """An array that a kernel reads."""
    return (ctypes.c_int64 * len(values))(*values)


@lru_cache(maxsize=4096)
def shares(total: int, parts: int, first: int = 0) -> "ctypes.Array[ctypes.c_int64]":
    """Equal shares of what starts at `first`, a pair of bounds for each."""
    bounds = [first + total * i // parts for i in range(parts + 1)]
    return words([bound for pair in pairwise(bounds) for bound in pair])


@lru_cache(maxsize=2)
def library(dtype: torch.dtype) -> dict[str, int]:
    """The addresses of what all cells share."""
    return addresses(library_text(dtype, host()), ("pack", "outer_1", "outer_2", f"outer_{WIDEST}"))


@dataclass(frozen=True, eq=False)
class Panel:
    """The packed weights of one run of a nest's tiling."""

    nest: Nest
    plan: Tiling
    run: Run
    lanes: int

    @property
    def work(self) -> int:
        """Multiplications for one row."""
        return self.outer * self.nest.extents[-1] * self.run.operand.length * len(self.run.weights)

    @cached_property
    def outer(self) -> int:
        """Turns of the outer loops."""
        return prod(self.nest.extents[:-1])

    @cached_property
    def blocks(self) -> int:
        """Blocks of entries in one turn."""
        return -(-self.nest.extents[-1] // (self.plan.repeat * self.lanes))

    @cached_property
    def size(self) -> int:
        """Numbers in the packed weights."""
        return self.outer * self.blocks * self.run.operand.length * self.plan.vectors(self.run) * self.lanes


@dataclass(frozen=True, eq=False)
class Hoist:
    """Sums of products that are taken ahead of the loop."""

    nest: Nest
    plan: Tiling
    lanes: int

    @cached_property
    def size(self) -> int:
        """Numbers for one row at one step."""
        blocks = -(-self.nest.extents[-1] // (self.plan.repeat * self.lanes)) * prod(self.nest.extents[:-1])
        return blocks * len(self.plan.early) * self.plan.repeat * self.lanes


class Program:
    """Everything that is known of a cell's step in one dtype.

    Args:
        captured: The step's pieces that PyTorch runs.
        plan: What the kernels do.
        dtype: Of the numbers.
    """

    def __init__(self, captured: Captured, plan: Plan, dtype: torch.dtype) -> None:
        self.captured, self.plan, self.dtype = captured, plan, dtype
        self.checked: set[bool] = set()
        """For which of evaluation and training a step was compared with the cell's own."""
        self._kernels: dict[str, Kernel] = {}
        self._tables: dict[Panel, tuple[Any, Any]] = {}
        self._weights: dict[Panel, list[int]] = {}

    def kernel(self, name: str) -> Kernel:
        """The kernel of a phase: `inference`, `forward` or `backward`."""
        if name not in self._kernels:
            self._kernels[name] = Kernel(getattr(self.plan, name), self.dtype)
        return self._kernels[name]

    def chunk(self, rows: Rows) -> int:
        """Steps that the way back takes before it adds up the gradients of weights."""
        size = sum(buffer.size for buffer in self.plan.backward.values) or 1
        most = BYTES // (size * self.dtype.itemsize * max(rows.batch, 1))
        return max(8, min(most, LONGEST))

    def saved_memory(self, rows: int) -> Tensor:
        """Memory for what the way back needs of some rows."""
        return take(self.dtype, rows * sum(buffer.size for buffer in self.plan.saved.values()))

    def saved_pointers(self, memory: Tensor, rows: int) -> dict[tuple[str, int], int]:
        """Where in it each value lies: one after the other, all rows of each."""
        pointers, start = {}, memory.data_ptr()
        for buffer in self.plan.saved.values():
            pointers["saved", buffer.number] = start
            start += rows * buffer.size * self.dtype.itemsize
        return pointers

    def values(self, weights: Sequence[Tensor]) -> list[Tensor]:
        """The weights as kernels see them."""
        found = self.plan.step.sources.forward(*(weight.detach() for weight in weights))
        return [value if value.dtype == self.dtype else value.to(self.dtype) for value in found]

    def packed(self, kernel: Kernel, values: Sequence[Tensor]) -> tuple[list[int], Tensor]:
        """Weights packed for a kernel, and where each run finds its own."""
        size = sum(panel.size for panel in kernel.panels) or 1
        memory = take(self.dtype, size)
        places, start = [], memory.data_ptr()
        for panel in kernel.panels:
            places.append(start)
            self._pack(panel, start, values)
            start += panel.size * self.dtype.itemsize
        return places, memory

    def _pack(self, panel: Panel, to: int, values: Sequence[Tensor]) -> None:
        held = [values[place] for place in self._places(panel)]
        origin = held[0].data_ptr()
        away = tuple((each.data_ptr() - origin) // self.dtype.itemsize for each in held)
        layout = away, tuple(each.stride() for each in held)
        key, tables = self._tables.get(panel, (None, None))
        if key != layout or tables is None:
            tables = _tables(panel, *layout)
            self._tables[panel] = layout, tables
        blocks = panel.outer * panel.blocks
        threads = min(team.threads(), blocks) if panel.size > 1 << 16 else 1
        call = words(
            [
                to,
                origin,
                *map(ctypes.addressof, tables),
                panel.run.operand.length,
                panel.nest.extents[-1],
                panel.blocks,
                len(panel.run.weights),
                panel.plan.repeat,
                ctypes.addressof(shares(blocks, threads)),
                team.number_address(),
            ]
        )
        team.run(library(self.dtype)["pack"], call, threads)

    def _places(self, panel: Panel) -> list[int]:
        """Which weights a panel is made from."""
        if panel not in self._weights:
            self._weights[panel] = [self.plan.step.weights.index(access.weight) for access in panel.run.weights]
        return self._weights[panel]


def _tables(
    panel: Panel, away: tuple[int, ...], strides: tuple[tuple[int, ...], ...]
) -> tuple["ctypes.Array[ctypes.c_int64]", ...]:
    """Where the entries of each sum start in the weights, how far lanes are apart, and how far entries of a sum."""
    nest, accesses = panel.nest, panel.run.weights
    lane, along = len(nest.extents) - 1, len(nest.extents)
    flats = []
    for access, steps in zip(accesses, strides, strict=True):
        flat = Affine()
        for index, stride in zip(access.index, steps, strict=True):
            flat = flat + index * stride
        flats.append(flat)
    table = [[flat.start + start for flat, start in zip(flats, away, strict=True)]]
    for loop, extent in enumerate(nest.extents[:-1]):
        table = [
            [place + flat.step(loop) * i for place, flat in zip(row, flats, strict=True)]
            for row in table
            for i in range(extent)
        ]
    starts = words([place for row in table for place in row])
    return starts, words([flat.step(lane) for flat in flats]), words([flat.step(along) for flat in flats])


class Chunk:
    """Where the rows of some steps find their entries, for the sums over rows.

    Args:
        first: The first n.
        last: The n after the last one.
        pointers: Where buffers start.
        tables: Tables of rows.
    """

    def __init__(self, first: int, last: int, pointers: dict[tuple[str, int], int], tables: dict[str, int]) -> None:
        self.first, self.last, self.pointers, self.tables = first, last, pointers, tables

    def add(self, contraction: Contraction, total: Tensor, fresh: bool) -> None:
        """Add the rows' outer products to a sum (heads, M, N), or start it with them."""
        heads = contraction.heads
        left, right = contraction.left, contraction.right
        each = len(right.places) // heads
        size = total[0].numel() * total.element_size() if heads > 1 else 0
        for head in range(heads):
            for i in range(each):
                place = head * each + i
                self._add(left, right, place, total.data_ptr() + head * size, total.dtype, fresh and i == 0)

    def _side(self, factor: Factor, place: int, dtype: torch.dtype) -> tuple[int, int, int]:
        """Pointer, table and size of one side."""
        if factor.buffer is None:
            return _one(dtype).data_ptr(), 0, 0
        table = self.tables.get(factor.buffer.rows, 0)
        start = self.pointers[factor.buffer.role, factor.buffer.number] + factor.places[place] * dtype.itemsize
        return start, table, 0 if factor.buffer.rows == "shared" else factor.buffer.size

    def _add(self, left: Factor, right: Factor, place: int, to: int, dtype: torch.dtype, fresh: bool) -> None:
        m, c = left.size, right.size
        lanes = host().lanes(dtype)
        vectors = next(v for v in (1, 2, WIDEST) if v * lanes >= c or v == WIDEST)
        tiles, panels = -(-m // ROWS), -(-c // (vectors * lanes))
        work = m * c * (self.last - self.first)
        threads = min(team.threads(), max(tiles, panels)) if work > 1 << 16 else 1
        by_tiles = tiles >= threads
        share_m = shares(tiles, threads) if by_tiles else words([0, tiles] * threads)
        share_c = words([0, panels] * threads) if by_tiles else shares(panels, threads)
        widest = -(-tiles // threads) if by_tiles else tiles
        together = max(lanes // ROWS, 1)
        size = -(-widest // together) * together * SPAN + DEPTH * vectors * lanes
        scratch = take(dtype, size * threads)
        call = words(
            [
                to,
                m,
                c,
                *self._side(left, place if left.buffer else 0, dtype),
                *self._side(right, place, dtype),
                self.first,
                self.last,
                ctypes.addressof(share_m),
                ctypes.addressof(share_c),
                scratch.data_ptr(),
                size,
                int(fresh),
                team.number_address(),
            ]
        )
        team.run(library(dtype)[f"outer_{vectors}"], call, threads)


@lru_cache(maxsize=2)
def _one(dtype: torch.dtype) -> Tensor:
    return torch.ones(1, dtype=dtype)
