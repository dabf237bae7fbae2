"""Memory that nobody needs any more goes back to the machine, where its C library can do that."""

import ctypes
from collections.abc import Callable
from functools import cache


def tidy_up() -> None:
    """Give back what lies free between things that are kept: the more sessions come and go, the more that is."""
    _trim()(0)


@cache
def _trim() -> Callable[[int], object]:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return lambda _: None
