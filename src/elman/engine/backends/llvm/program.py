"""A cell's kernels, ready to run: what a call needs is laid out, packed and handed over.

Key: T time, B batch, N rows at all steps.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod

import torch
from torch import Tensor

from elman.engine.affine import Affine
from elman.engine.backends.llvm import team
from elman.engine.backends.llvm.cache import addresses
from elman.engine.backends.llvm.kernel import HEADER, KernelText, kernel_text
from elman.engine.backends.llvm.library import DEPTH, OUTER, PACK, WIDEST, library_text
from elman.engine.backends.llvm.rows import Rows
from elman.engine.backends.llvm.target import host
from elman.engine.backends.llvm.tiles import ROWS, Run, Tiling
from elman.engine.capture import Captured
from elman.engine.graph import Node
from elman.engine.nest import Buffer, Nest
from elman.engine.plan import Contraction, Factor, Phase, Plan

CHUNK = 64
"""Steps that the way back takes before it adds up the gradients of weights."""


class Kernel:
    """A phase, compiled."""

    def __init__(self, phase: Phase, dtype: torch.dtype) -> None:
        self.dtype = dtype
        self.text: KernelText = kernel_text(phase, dtype, host())
        self.layout = self.text.layout
        found = addresses(self.text.text, ("loop", "after"))
        self.loop, self.after = found["loop"], found["after"]
        self.constants = torch.tensor(self.layout.constants or [0.0], dtype=dtype)

    def call(self, tables: dict[str, int], buffers: dict[Buffer, int], panels: Sequence[int]) -> "Call":
        """The words of a call."""
        header = [tables.get(name, 0) for name in HEADER]
        header[HEADER.index("constants")] = self.constants.data_ptr()
        header[HEADER.index("number")] = team.number_address()
        header[HEADER.index("barrier")] = team.barrier_address()
        pointers = [buffers[buffer] for buffer in self.layout.buffers]
        return words([*header, *pointers, *panels, *self.layout.sizes])


Call = "ctypes.Array[ctypes.c_int64]"


def words(values: Sequence[int]) -> "ctypes.Array[ctypes.c_int64]":
    """An array that a kernel reads."""
    return (ctypes.c_int64 * len(values))(*values)


def shares(total: int, parts: int) -> "ctypes.Array[ctypes.c_int64]":
    """Equal shares, a pair of bounds for each."""
    bounds = [total * i // parts for i in range(parts + 1)]
    return words([bound for pair in zip(bounds, bounds[1:], strict=False) for bound in pair])


@lru_cache(maxsize=2)
def library(dtype: torch.dtype) -> dict[str, int]:
    """The addresses of what all cells share."""
    return addresses(library_text(dtype, host()), ("pack", "outer_1", "outer_2", f"outer_{WIDEST}"))


@dataclass(frozen=True)
class Panel:
    """How one run's weights are to be packed.

    Args:
        weight: Which one.
        bases: For each turn of the outer loops and each sum, where in the weight its entries start, as (start, steps).
        outer: Turns of the outer loops.
        run: The run.
        blocks: Blocks of entries.
    """

    nest: Nest
    plan: Tiling
    run: Run
    lanes: int

    @property
    def outer(self) -> int:
        """Turns of the outer loops."""
        return prod(self.nest.extents[:-1])

    @property
    def blocks(self) -> int:
        """Blocks of entries in one turn."""
        return -(-self.nest.extents[-1] // (self.plan.repeat * self.lanes))

    @property
    def size(self) -> int:
        """Numbers in the packed weights."""
        return self.outer * self.blocks * self.run.operand.length * self.plan.vectors(self.run) * self.lanes


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

    def kernel(self, name: str) -> Kernel:
        """The kernel of a phase: `inference`, `forward` or `backward`."""
        if name not in self._kernels:
            self._kernels[name] = Kernel(getattr(self.plan, name), self.dtype)
        return self._kernels[name]

    def values(self, weights: Sequence[Tensor]) -> dict[Node, Tensor]:
        """The weights as kernels see them."""
        found = self.plan.step.sources.forward(*weights)
        return {node: _as(value, self.dtype) for node, value in zip(self.plan.step.weights, found, strict=True)}

    def packed(self, kernel: Kernel, values: dict[Node, Tensor]) -> tuple[list[int], Tensor]:
        """Weights packed for a kernel, and where each run finds its own."""
        lanes = host().lanes(self.dtype)
        panels = [Panel(nest, plan, run, lanes) for nest, plan, run in kernel.layout.panels]
        memory = torch.empty(sum(panel.size for panel in panels) or 1, dtype=self.dtype)
        places, start = [], memory.data_ptr()
        for panel in panels:
            places.append(start)
            _pack(panel, start, values, self.dtype)
            start += panel.size * self.dtype.itemsize
        return places, memory


def _as(value: Tensor, dtype: torch.dtype) -> Tensor:
    return value.detach() if value.dtype == dtype else value.detach().to(dtype)


def _pack(panel: Panel, to: int, values: dict[Node, Tensor], dtype: torch.dtype) -> None:
    run, nest = panel.run, panel.nest
    lane, along = len(nest.extents) - 1, len(nest.extents)
    origin = values[run.weights[0].weight].data_ptr()
    bases, steps, alongs = [], [], []
    for access in run.weights:
        weight = values[access.weight]
        flat = Affine()
        for index, stride in zip(access.index, weight.stride(), strict=True):
            flat = flat + index * stride
        away = (weight.data_ptr() - origin) // dtype.itemsize
        bases.append((flat, away))
        steps.append(flat.step(lane))
        alongs.append(flat.step(along))
    turns = [flat.start + away for flat, away in bases]
    table = [turns]
    for loop, extent in enumerate(nest.extents[:-1]):
        table = [
            [place + bases[a][0].step(loop) * i for a, place in enumerate(row)] for row in table for i in range(extent)
        ]
    blocks = panel.outer * panel.blocks
    threads = min(team.threads(), blocks) if panel.size > 1 << 18 else 1
    share = shares(blocks, threads)
    tables = words([place for row in table for place in row]), words(steps), words(alongs)
    call = words(
        [
            to,
            origin,
            *map(ctypes.addressof, tables),
            run.operand.length,
            nest.extents[-1],
            panel.blocks,
            len(run.weights),
            panel.plan.repeat,
            ctypes.addressof(share),
            team.number_address(),
        ]  # fmt: skip
    )
    assert len(call) == len(PACK)
    team.run(library(dtype)["pack"], call, threads)


class Chunk:
    """Where the rows of some steps find their entries, for the sums over rows.

    Args:
        first: The first n.
        last: The n after the last one.
        pointers: Where buffers start.
        tables: Tables of rows.
    """

    def __init__(self, first: int, last: int, pointers: dict[Buffer, int], tables: dict[str, int]) -> None:
        self.first, self.last, self.pointers, self.tables = first, last, pointers, tables

    def add(self, contraction: Contraction, total: Tensor) -> None:
        """Add the rows' outer products to a sum (heads, M, N)."""
        heads = contraction.heads
        left, right = contraction.left, contraction.right
        each = len(right.places) // heads
        size = total[0].numel() * total.element_size() if heads > 1 else 0
        for head in range(heads):
            for i in range(each):
                place = head * each + i
                self._add(left, right, place, total.data_ptr() + head * size, total.dtype)

    def _side(self, factor: Factor, place: int, dtype: torch.dtype) -> tuple[int, int, int]:
        """Pointer, table and size of one side."""
        if factor.buffer is None:
            return _one(dtype).data_ptr(), 0, 0
        table = self.tables.get(factor.buffer.rows, 0)
        start = self.pointers[factor.buffer] + factor.places[place] * dtype.itemsize
        return start, table, 0 if factor.buffer.rows == "shared" else factor.buffer.size

    def _add(self, left: Factor, right: Factor, place: int, to: int, dtype: torch.dtype) -> None:
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
        size = DEPTH * (widest * ROWS + vectors * lanes)
        scratch = torch.empty(size * threads, dtype=dtype)
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
                team.number_address(),
            ]  # fmt: skip
        )
        assert len(call) == len(OUTER)
        team.run(library(dtype)[f"outer_{vectors}"], call, threads)


@lru_cache(maxsize=2)
def _one(dtype: torch.dtype) -> Tensor:
    return torch.ones(1, dtype=dtype)


def table_pointers(rows: Rows) -> dict[str, int]:
    """Where the tables of rows are."""
    names = ("time", "before", "after", "carried", "carries", "position", "offsets", "counts")
    return {name: getattr(rows, name).data_ptr() for name in names}
