"""What every cell's kernels share: packing weights, and sums over rows."""

from functools import lru_cache

import torch

from elman.engine.backends.llvm.cache import addresses
from elman.engine.backends.llvm.packing import Move, Pack
from elman.engine.backends.llvm.summing import WIDTHS, Outer, Total
from elman.engine.backends.llvm.target import Target, host
from elman.engine.backends.llvm.text import joined
from elman.engine.backends.llvm.tiles import ROWS, tile_function


@lru_cache(maxsize=2)
def library(dtype: torch.dtype) -> dict[str, int]:
    """Addresses of all shared functions."""
    return addresses(library_text(dtype, host()), ("pack", "move", "outer", "total"))


def library_text(dtype: torch.dtype, target: Target) -> str:
    """All shared functions for one dtype."""
    lanes = target.lanes(dtype)
    functions, declared = [], set()
    for vectors in WIDTHS:
        text, more = tile_function(dtype, lanes, vectors, stride=ROWS)
        functions.append(text)
        declared |= more
    for writer in (Move(dtype, lanes), Pack(dtype, lanes), Outer(dtype, lanes), Total(dtype, lanes)):
        functions.append(writer.text())
        declared |= writer.declared
    return joined(functions, declared)
