"""How far memory grows during forward and backward of a long LSTM: one process for each library.

python -m engine.memory elman     (in benchmarks/)
"""

import os
import resource
import sys
from pathlib import Path

from engine.child import last_line
from engine.shapes import make_batch, square

LONG = square(1000, 25, 320)


def growth(library: str, threads: int) -> float:
    """Bytes, measured in a process of its own."""
    return float(last_line("memory", library, threads))


def measure(library: str, threads: int) -> int:
    """Bytes at the highest point, less those before; what is loaded once is loaded by a small run before."""
    import torch

    import elman
    from engine.runs import Run, layer

    torch.set_num_threads(threads)
    lstm = (elman.LSTM if library == "elman" else torch.nn.LSTM)(LONG.inputs, LONG.hidden)
    Run(lstm, layer, make_batch(square(3, 2, LONG.inputs))).train()
    run = Run(lstm, layer, make_batch(LONG))
    before = _start()
    results = run.train()
    after = _highest()
    assert len(results) == 6  # alive until here: output, and gradients of the input and four parameters
    return after - before


def _start() -> int:
    """Forget the highest point so far; bytes in use now."""
    if sys.platform != "linux":
        return _highest()
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _highest() -> int:
    """Bytes in use at the highest point."""
    if sys.platform != "linux":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return _status("VmHWM")


def _status(key: str) -> int:
    lines = Path(f"/proc/{os.getpid()}/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:"))


if __name__ == "__main__":
    print(measure(sys.argv[1], int(sys.argv[2])))
