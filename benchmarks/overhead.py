"""How much of a training step passes outside model and optimiser: batch 32, 100 steps of time, width 256.

Two ways in turn over the same batches: `elman train` with its loop, logs, checkpoints and progress; and nothing but
forward, backward, clipping and the optimiser's step. The share is what the first takes longer.
"""

from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from unittest.mock import patch

from results import write_result
from rich.console import Console

from elman.data import Window
from elman.layers import detach_state
from elman.tasks import Examples, GenerateOptions, Task, make_task
from elman.training import TrainingOptions
from elman.training.fit import fit
from elman.training.module import TrainingModule
from elman.training.optimisers import make_optimiser

ROUNDS, STEPS, WARM_UP = 5, 40, 5
OPTIONS = TrainingOptions(epochs=1)


class Few(list[Window]):
    """The first batches of an epoch, as an epoch."""

    def batch(self, position: int) -> Window:
        return self[position % len(self)]


def full(task: Task, examples: Examples) -> float:
    """Mean seconds of a step in Elman's training."""
    ends: list[float] = []

    class Timed(TrainingModule):
        def on_train_batch_end(self, *_: object) -> None:
            ends.append(perf_counter())

    with (
        TemporaryDirectory() as folder,
        patch("elman.training.fit.TrainingModule", Timed),
        Path("/dev/null").open("w") as nowhere,
    ):
        fit(OPTIONS, task, examples, Path(folder), Console(file=nowhere))
    return (ends[-1] - ends[WARM_UP]) / (len(ends) - 1 - WARM_UP)


def bare(task: Task, examples: Examples) -> float:
    """Mean seconds of a step with model and optimiser alone."""
    network = task.network().train()
    module = TrainingModule(task, network, OPTIONS, STEPS)
    optimiser = make_optimiser(list(network.parameters()), OPTIONS)
    state, start = None, 0.0
    for number, batch in enumerate(examples.train):
        loss = task.loss(network, batch, state)
        optimiser.zero_grad()
        loss.mean.backward()
        module.configure_gradient_clipping(optimiser)
        optimiser.step()
        state = detach_state(loss.state)
        if number == WARM_UP:
            start = perf_counter()
    return (perf_counter() - start) / (len(examples.train) - 1 - WARM_UP)


def main() -> None:
    """Measure in turn, write."""
    began = perf_counter()
    task = make_task("generate", GenerateOptions(batch_size=32, window=100, hidden_size=256))
    whole = task.read(None, None)
    first = Few(whole.train.batch(number) for number in range(STEPS))
    examples = Examples(first, Few([whole.valid.batch(0)]), (), (), {}, "")
    rows = [{"full_ms": 1e3 * full(task, examples), "bare_ms": 1e3 * bare(task, examples)} for _ in range(ROUNDS)]
    share = median(1 - row["bare_ms"] / row["full_ms"] for row in rows)
    write_result("overhead", {"share": share}, perf_counter() - began, rows)


if __name__ == "__main__":
    main()
