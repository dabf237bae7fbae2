"""Memory that calls use and give back.

Fresh memory from the system costs time at its first touch, page by page: up to a third of a training step. Large
pieces are thus kept when a call, or the graph of its way back, lets go of them, up to `KEPT` bytes in all.
"""

from math import prod
from threading import RLock

import numpy as np
import torch
from torch import Tensor

KEPT = 1 << 29
"""Bytes that wait for the next call, at most."""
SMALLEST = 1 << 16
"""Bytes below which memory comes from PyTorch, as always."""
ALIGNED = 64

_lock = RLock()
"""Reentrant: a list made under it may wake the collector, which gives other memory back."""
_free: dict[int, list[np.ndarray]] = {}
_held = 0


class _Lease(np.ndarray):
    """A part of a block: when the last tensor on it is gone, so is it, and the block is free."""

    block: np.ndarray | None = None

    def __del__(self) -> None:
        if self.block is not None:
            _give_back(self.block)


def take(dtype: torch.dtype, *sizes: int) -> Tensor:
    """An uninitialised tensor, of memory that was used before if there is some."""
    size = prod(sizes) * dtype.itemsize
    if size < SMALLEST:
        return torch.empty(sizes, dtype=dtype)
    block = _block(_rounded(size))
    lease = block[:size].view(_Lease)
    lease.block = block
    if torch.are_deterministic_algorithms_enabled() and torch.utils.deterministic.fill_uninitialized_memory:  # pyright: ignore
        lease.fill(255)  # in any float a NaN
    return torch.from_numpy(lease).view(dtype).view(sizes)


def _rounded(size: int) -> int:
    """Up to an eighth more, so that few different sizes wait."""
    step = 1 << max(size.bit_length() - 4, 0)
    return -(-size // step) * step


def _block(size: int) -> np.ndarray:
    global _held
    with _lock:
        waiting = _free.get(size)
        if waiting:
            _held -= size
            return waiting.pop()
    memory = np.empty(size + ALIGNED, dtype=np.uint8)
    start = -memory.ctypes.data % ALIGNED
    return memory[start : start + size]


def _give_back(block: np.ndarray) -> None:
    global _held
    with _lock:
        if _held + block.size <= KEPT:
            _held += block.size
            _free.setdefault(block.size, []).append(block)


def release() -> None:
    """Let go of all memory that waits."""
    global _held
    with _lock:
        _free.clear()
        _held = 0
