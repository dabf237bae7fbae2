"""A training that waits for commands on standard input: the other side of `turns.Peer`; needs no library."""

import json
import os
import sys
from collections.abc import Callable
from time import perf_counter

ANSWERS = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)  # whatever a library prints is no answer


def answer(train: Callable[[], int]) -> None:
    """Train for as many seconds as each command says, until told to stop.

    Args:
        train: Some steps; how many they were.
    """
    for line in sys.stdin:
        command = json.loads(line)
        if command["do"] == "quit":
            break
        start, steps = perf_counter(), 0
        while perf_counter() - start < command["seconds"]:
            steps += train()
        print(json.dumps({"steps": steps, "seconds": perf_counter() - start}), file=ANSWERS, flush=True)
