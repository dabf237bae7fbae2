"""How busy others keep the processor while something is measured: a shared machine makes numbers that mislead."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, process_time

STAT = Path("/proc/stat")


@contextmanager
def load_of_others() -> Iterator[list[float]]:
    """After the block the list holds one number: the share of all cores that other processes took meanwhile.

    Where the system does not tell, the list stays empty.
    """
    share: list[float] = []
    start, before, own = perf_counter(), _busy(), process_time()
    yield share
    if before is not None:
        busy, seconds = (_busy() or before) - before, perf_counter() - start
        share.append(max(0.0, busy - (process_time() - own)) / seconds / (os.cpu_count() or 1))


def _busy() -> float | None:
    """Seconds that all cores together have worked, for guests and for the host (steal) too."""
    if not STAT.exists():
        return None
    user, nice, system, _, _, interrupt, soft, steal = map(int, STAT.read_text().split(maxsplit=9)[1:9])
    return (user + nice + system + interrupt + soft + steal) / os.sysconf("SC_CLK_TCK")
