"""PyTorch's own team of threads: kernels run on it, so that nothing fights for the processor's cores."""

import ctypes
import os
from functools import cache, lru_cache
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
        self._count = library.omp_get_num_threads

    def run(self, function: int, call: int, threads: int) -> None:
        """Let threads run a function of the call's words."""
        self._parallel(function, call, threads, 0)

    @cache  # noqa: B019  there is one team
    def most(self, wanted: int) -> int:
        """How many threads come when so many are called: a limit may be set from outside."""
        came: list[int] = []
        seen = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(lambda _: came.append(self._count()))
        self._parallel(_address(seen), None, wanted, 0)
        return min(len(came), *came, wanted)


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
    found = None if _forked else team()
    wanted = torch.get_num_threads()
    return found.most(wanted) if found and wanted > 1 else 1


@ctypes.CFUNCTYPE(ctypes.c_int)
def _zero() -> int:
    return 0


def number_address() -> int:
    """The function that gives a thread's number."""
    found = team()
    return found.number if found else _address(_zero)


@cache
def rest_address() -> int:
    """The function that gives the processor to somebody else for a while."""
    try:
        return _address(ctypes.CDLL(None).sched_yield)
    except (AttributeError, OSError, TypeError):
        return _address(_zero)


def run(function: int, call: int, count: int) -> None:
    """Run a function of an address on some threads; other threads of Python go on meanwhile."""
    global _started
    found = team()
    if count > 1 and found is not None:
        _started = True
        found.run(function, call, count)
    else:
        plain(function)(call)


@lru_cache(maxsize=4096)
def plain(function: int) -> "ctypes._FuncPointer":  # pyright: ignore
    """A compiled function as one of Python, which gives Python's lock away meanwhile."""
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p)(function)
