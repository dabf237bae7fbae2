"""How long a process waits for its first call, for a new structure after it, and with kernels on disk.

ELMAN_CACHE=FOLDER python -m engine.first_call 2     (in benchmarks/)
"""

import json
import sys
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import torch

import elman
from elman.layers import PeepholeLSTMCell
from engine.child import last_line

ROUNDS = 3


def measure_all(threads: int) -> dict[str, float]:
    """The three metrics, medians of rounds with a new cache folder each."""
    rounds = []
    for _ in range(ROUNDS):
        with TemporaryDirectory() as cache:
            empty, filled = _process(cache, threads), _process(cache, threads)
        rounds.append((empty["first"], empty["next"], filled["first"]))
    names = ("first_call_seconds", "next_structure_seconds", "cached_call_seconds")
    return dict(zip(names, map(median, zip(*rounds, strict=True)), strict=True))


def _process(cache: str, threads: int) -> dict[str, float]:
    return json.loads(last_line("first_call", threads, ELMAN_CACHE=cache))


def seconds(layer: torch.nn.Module) -> float:
    """From the call to the gradients."""
    x = torch.randn(20, 4, 32, requires_grad=True)
    start = perf_counter()
    layer(x)[0].sum().backward()
    return perf_counter() - start


if __name__ == "__main__":
    torch.set_num_threads(int(sys.argv[1]))
    first, then = elman.LSTM(32, 48), elman.Recurrent(PeepholeLSTMCell(32, 48))
    print(json.dumps({"first": seconds(first), "next": seconds(then)}))
