"""Trainings that take turns, so that what else the machine does meets all of them alike."""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from time import perf_counter
from typing import Any

from lightning.pytorch import Callback, Trainer
from results import ROOT

import elman
from elman.errors import Interrupted
from elman.training import fit


class Turns(Callback):
    """Lets a training go on only while it has its turn.

    Args:
        count: What a batch counts; 1 a step when omitted.
    """

    def __init__(self, count: Callable[[Any], int] = lambda batch: 1) -> None:
        self.go, self.rested, self.over = Event(), Event(), False
        self.count, self.done = count, 0
        self.network: Any = None

    def on_train_batch_start(self, trainer: Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        self.network = pl_module.network
        if not self.go.is_set():
            self.rested.set()
            self.go.wait()
        if self.over:
            raise Interrupted("enough")

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        self.done += self.count(batch)

    def train(self, seconds: float) -> float:
        """What was counted in a second."""
        done, start = self.done, perf_counter()
        self.rested.clear()
        self.go.set()
        Event().wait(seconds)
        self.go.clear()
        self.rested.wait()
        return (self.done - done) / (perf_counter() - start)

    def stop(self) -> None:
        """End the training."""
        self.over = True
        self.go.set()


@contextmanager
def ours(task: str, turns: Turns, **settings: Any) -> Iterator[Turns]:
    """A training of Elman, as `elman train` runs it, that waits for its turn."""
    made: Callable[..., list[Callback]] = fit._callbacks
    fit._callbacks = lambda *values: [*made(*values), turns]

    def run() -> None:
        with suppress(Interrupted):
            elman.train(task, **settings)

    thread = Thread(target=run)
    thread.start()
    turns.rested.wait()
    fit._callbacks = made
    try:
        yield turns
    finally:
        turns.stop()
        thread.join()


class Peer:
    """Another library in a process of its own, which answers commands line by line.

    Args:
        python: The interpreter of its environment.
        script: A file in benchmarks/.
        settings: What it is told at first.
    """

    def __init__(self, python: str, script: str, settings: dict[str, Any]) -> None:
        words = [python, str(Path(ROOT) / "benchmarks" / script), json.dumps(settings)]
        self.process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def ask(self, **command: Any) -> dict[str, Any]:
        """One command and its answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"error": f"{self.process.args} has ended"}
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer


def peer_steps(peer: Peer, seconds: float) -> float:
    """Steps a second of a peer."""
    found = peer.ask(do="train", seconds=seconds)
    return found["steps"] / found["seconds"]
