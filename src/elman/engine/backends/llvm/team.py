"""PyTorch's own team of threads: kernels run on it, so that nothing fights for the processor's cores."""

import ctypes
import os
from functools import lru_cache
from pathlib import Path

import torch

_forked = False
_started = False


def _after_fork() -> None:
    """A team does not live on in a child: kernels take one thread there, and if they started it, PyTorch too."""
    global _forked
    _forked = True
    if _started:
        torch.set_num_threads(1)


os.register_at_fork(after_in_child=_after_fork)


class Team:
    """GNU's OpenMP, which PyTorch has loaded.

    Args:
        library: It.
    """

    def __init__(self, library: ctypes.CDLL) -> None:
        self._parallel = library.GOMP_parallel
        self._parallel.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint]
        self._parallel.restype = None
        self.number = _address(library.omp_get_thread_num)
        self.barrier = _address(library.GOMP_barrier)

    def run(self, function: int, call: int, threads: int) -> None:
        """Let threads run a function of the call's words."""
        self._parallel(function, call, threads, 0)


def _address(function: object) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0  # pyright: ignore


@lru_cache(maxsize=1)
def team() -> Team | None:
    """The team, or None where PyTorch brings another library than GNU's."""
    folder = Path(torch.__file__).parent
    found = [*folder.glob("lib/libgomp*"), *folder.parent.glob("torch.libs/libgomp*")]
    try:
        return Team(ctypes.CDLL(str(found[0]))) if found else None
    except (OSError, AttributeError):
        return None


def threads() -> int:
    """How many threads a kernel may use: PyTorch's number, and one in a forked process, where a team would hang."""
    return 1 if _forked or team() is None else torch.get_num_threads()


@ctypes.CFUNCTYPE(ctypes.c_int)
def _zero() -> int:
    return 0


@ctypes.CFUNCTYPE(None)
def _nothing() -> None:
    return None


def number_address() -> int:
    """The function that gives a thread's number."""
    found = team()
    return found.number if found else _address(_zero)


def barrier_address() -> int:
    """The function that waits for all threads."""
    found = team()
    return found.barrier if found else _address(_nothing)


def run(function: int, call: "ctypes.Array[ctypes.c_int64]", count: int) -> None:
    """Run a kernel on some threads; other threads of Python go on meanwhile."""
    global _started
    found = team()
    if count > 1 and found is not None:
        _started = True
        found.run(function, ctypes.addressof(call), count)
    else:
        _plain(function)(ctypes.addressof(call))


@lru_cache(maxsize=4096)
def _plain(function: int) -> "ctypes._FuncPointer":  # pyright: ignore
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p)(function)
