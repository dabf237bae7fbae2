"""A training step of the tiny Shakespeare recipe on Elman's loop over time, as it was before there were kernels, and
on the default backend: two networks of one seed, in turn, batch by batch.
"""

import os
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import torch
from results import ROOT

import elman
from elman.layers import LayerState, detach_state
from elman.tasks import GenerateOptions, Task, make_task
from elman.training import Recipe, read_recipe
from elman.training.module import TrainingModule
from elman.training.optimisers import make_optimiser

WARM_UP, STEPS = 2, 20
SAME = 0.01
"""Relative difference of the losses that rounding explains; dropout draws the same numbers in both."""


@dataclass
class Training:
    """A network in training, on one backend."""

    backend: str | None
    module: TrainingModule
    optimiser: torch.optim.Optimizer
    state: LayerState | None = None

    def step(self, batch: Any, seed: int) -> tuple[float, float]:
        """Seconds and loss of forward, backward, clipping and the optimiser's step."""
        torch.manual_seed(seed)
        start = perf_counter()
        with elman.use_backend(self.backend) if self.backend else nullcontext():
            loss = self.module.task.loss(self.module.network, batch, self.state)
            self.optimiser.zero_grad()
            loss.mean.backward()
        self.module.configure_gradient_clipping(self.optimiser)
        self.optimiser.step()
        self.state = detach_state(loss.state)
        return perf_counter() - start, float(loss.mean.detach())


def tinyshakespeare(steps: int = STEPS) -> tuple[dict[str, Any], list[str]]:
    """Characters a second before and now, the losses after some steps; and what is wrong."""
    recipe = _recipe()
    options = recipe.options
    assert isinstance(options, GenerateOptions)
    task = make_task("generate", options)
    batches = task.read(_text(), None).train
    before, now = (_start(task, recipe, backend) for backend in ("eager", None))
    pairs = []
    for number in range(WARM_UP + steps):
        batch = batches.batch(number)
        order = (before, now) if number % 2 else (now, before)
        done = {id(one): one.step(batch, number) for one in order}
        pairs.append((done[id(before)], done[id(now)]))
    speedup = median(old[0] / new[0] for old, new in pairs[WARM_UP:])
    seconds = [median(pair[which][0] for pair in pairs[WARM_UP:]) for which in (0, 1)]
    losses = [pairs[-1][which][1] for which in (0, 1)]
    row = {
        "cell": "lstm",
        "mode": "tinyshakespeare",
        "T": options.window,
        "B": options.batch_size,
        "I": options.embedding_size,
        "H": options.hidden_size,
        "peer": "elman, eager backend",
        "ratio": speedup,
        "characters_per_second_elman": options.window * options.batch_size / seconds[1],
        "characters_per_second_peer": options.window * options.batch_size / seconds[0],
        "loss_elman": losses[1],
        "loss_peer": losses[0],
    }
    wrong = abs(losses[0] - losses[1]) > SAME * losses[0]
    return row, [f"after {len(pairs)} steps the losses are {losses[0]} and {losses[1]}"] if wrong else []


def _start(task: Task, recipe: Recipe, backend: str | None) -> Training:
    torch.manual_seed(recipe.training.seed)
    network = task.network().train()
    module = TrainingModule(task, network, recipe.training, steps=1)
    return Training(backend, module, make_optimiser(list(network.parameters()), recipe.training))


def _recipe() -> Recipe:
    """As it stands; its schedule is left aside, a rate for warming up decides nothing here."""
    values = read_recipe(ROOT / "recipes" / "tinyshakespeare.toml", "generate")
    return Recipe.of("generate", {name: value for name, value in values.items() if name not in ("train", "task")})


def _text() -> Path | None:
    """Tiny Shakespeare where it is; else the text that comes with Elman, which has a few more characters."""
    folders = [os.environ.get("ELMAN_DATA"), ROOT.parent / "shared" / "data"]
    paths = [Path(folder) / "tinyshakespeare/input.txt.gz" for folder in folders if folder]
    return next((path for path in paths if path.exists()), None)
