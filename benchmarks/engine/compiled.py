"""`torch.compile` of the loop over a peephole LSTM, forward and backward, compile time noted.

It unrolls time and compiles anew for every shape, a minute or more each; so all of it has ten minutes, in a process
of its own that starts without anything compiled before:

    python -m engine.compiled 2     (in benchmarks/)
"""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from tempfile import TemporaryDirectory, TemporaryFile
from time import perf_counter
from typing import Any

import torch

import elman
from engine.check import check
from engine.child import HERE, command
from engine.contests import Contest
from engine.custom import make_cell
from engine.findings import row_of
from engine.runs import Run, layer, loop, plain
from engine.shapes import SHAPES, Shape, make_batch, step_flops
from engine.timing import Pace, interleave

LIMIT = 600.0
COMPILED = sorted((shape for shape in SHAPES if shape.time <= 100), key=lambda shape: shape.time)
"""The shortest first, so that most of them fit."""
PACE = Pace(5, 7, 4.0)


def measure_all(threads: int, limit: float = LIMIT) -> list[dict[str, Any]]:
    """What was done in time, one entry a shape."""
    with TemporaryDirectory() as cache, TemporaryFile("w+") as lines:
        fresh = {"TORCHINDUCTOR_CACHE_DIR": f"{cache}/inductor", "ELMAN_CACHE": f"{cache}/elman"}
        process = subprocess.Popen(
            command("compiled", threads), cwd=HERE, env=os.environ | fresh, stdout=lines, start_new_session=True
        )
        try:
            with suppress(subprocess.TimeoutExpired):
                process.wait(limit)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)  # the compiler's helpers too
                process.wait()
        lines.seek(0)
        done = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}\n")]
    if process.returncode not in (0, -signal.SIGKILL):
        done.append({"shape": "", "wrong": [f"the process that compiles ended with {process.returncode}"], "rows": []})
    return done


def measure(shape: Shape) -> dict[str, Any]:
    """First calls, correctness, then times in turn."""
    torch.compiler.reset()
    batch = make_batch(shape)
    cell = make_cell("peephole-lstm", shape.inputs, shape.hidden)
    alone = plain(cell)
    compiled = torch.compile(lambda batch: loop(alone, batch), fullgraph=True, dynamic=False)
    ours = Run(elman.Recurrent(cell), layer, batch)
    peer = Run(alone, lambda _, batch: compiled(batch), batch)
    first = {"first_call_seconds_elman": _seconds(ours), "first_call_seconds_peer": _seconds(peer)}
    wrong = check(ours, Run(alone, loop, batch), "train", {"torch.compile": peer.train})
    if wrong:
        return {"shape": str(shape), "wrong": wrong, "rows": []}
    calls = {"elman": ours.train, "torch.compile": peer.train}
    contest = Contest("peephole-lstm", "compile", shape, calls, {"elman": 3.0 * batch.steps() * step_flops(cell)})
    row = row_of(contest, "torch.compile", interleave(calls, PACE))
    return {"shape": str(shape), "wrong": [], "rows": [row | first]}


def _seconds(run: Run) -> float:
    start = perf_counter()
    run.train()
    return perf_counter() - start


if __name__ == "__main__":
    torch.set_num_threads(int(sys.argv[1]))
    for shape in COMPILED:
        print(json.dumps(measure(shape)), flush=True)
