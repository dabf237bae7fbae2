"""Which network to choose: several, trained on the same data under one budget of time, side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, median, pstdev
from time import perf_counter
from typing import Any

import torch
from rich.console import Console
from torch import Tensor, nn

from elman.data import RowsByLength, write_json
from elman.errors import OptionError
from elman.layers import Recurrent, compile_step, find_cell, gradient_flow
from elman.models import BODIES, Body
from elman.pictures import draw_by_length
from elman.tasks import Examples, Task, check_free, judged, make_task
from elman.training.run import gather, start_run

WARM_UP, TIMED = 3, 7
"""Training steps before the clock starts, and those that it times."""

BUCKETS = 4
"""So many groups of similar length."""

WINDOW = 100
"""Steps that a network without a state reads again for each new one."""

AT_ONCE = 64
"""Examples that are judged side by side."""

FAINT = 0.01
"""A gradient of less than this share no longer reaches."""

ATTENTION: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "classify": ({}, {"pooling": "attention"}),
    "translate": ({"attention": "none"}, {"attention": "additive"}),
}
"""Of tasks that know attention: settings without it, and with it."""


@dataclass(frozen=True)
class Measured:
    """What was found out about one network."""

    name: str
    score: float
    """The mean over seeds."""
    spread: float
    """The deviation over seeds; 0 for one."""
    parameters: int
    epochs: int
    seconds: float
    """Of one training."""
    steps_per_second: float
    """In training."""
    step_milliseconds: float
    """What one more step of a stream costs."""
    reach: int | None
    """Steps back to which a hundredth of the gradient of the last output arrives; None without a recurrent layer."""
    by_length: tuple[tuple[str, float, int], ...]
    """The score of groups of similar length: label, score, examples."""


@dataclass(frozen=True)
class Group:
    """Some batches."""

    batches: Sequence[Any]

    def __len__(self) -> int:
        return len(self.batches)

    def batch(self, position: int) -> Any:
        """The batch at a position."""
        return self.batches[position % len(self)]

    def __iter__(self) -> Any:
        return iter(self.batches)


def compare(
    task: str,
    names: Sequence[str],
    out: Path,
    given: Mapping[str, Any],
    *,
    recipe: Path | None = None,
    budget: float = 600.0,
    seeds: int = 1,
    console: Console,
) -> list[Measured]:
    """Train each network, measure it, and write `comparison.json` and `by_length.png`.

    Args:
        task: What is learned.
        names: Cells, or transformer, cnn, mlp; with "+attention" behind, where the task knows it.
        out: A new folder; each training has a run folder in it.
        given: Settings and data that all share.
        recipe: A TOML file with more of them.
        budget: Seconds that one training may take; at least an epoch.
        seeds: Trainings of each network.
        console: Where progress is told.

    Raises:
        OptionError: A name or a setting is unknown or impossible.
        DataError: The data cannot be used.
        RunError: The folder holds files already.
    """
    check_free(out)
    settings = {name: settings_of(task, name) for name in names}
    for each in settings.values():  # what is wrong is found before anything is trained
        gather(task, recipe, {**given, **each})
        find_cell(each.get("cell", "lstm"))
    found = [
        _measured(task, name, out, {**given, **each}, recipe, budget, seeds, console) for name, each in settings.items()
    ]
    best, _ = make_task(task, gather(task, recipe, dict(given)).options).best
    write_json(out / "comparison.json", {"task": task, "score": best, "rows": [asdict(one) for one in found]})
    series = {one.name: one.by_length for one in found if one.by_length}
    if series:
        draw_by_length(out / "by_length.png", series, best)
    return found


def settings_of(task: str, name: str) -> dict[str, Any]:
    """What a network's name stands for.

    Raises:
        OptionError: It stands for nothing that the task knows.

    Example:
        >>> settings_of("classify", "gru+attention")
        {'cell': 'gru', 'pooling': 'attention'}
    """
    base, plus, extra = name.partition("+")
    if plus and (extra != "attention" or task not in ATTENTION or base in BODIES):
        raise OptionError(f"{task} knows no network {name!r}; +attention stands behind cells of {', '.join(ATTENTION)}")
    if base in BODIES:
        return {"network": base}
    return {"cell": "elman" if base == "rnn" else base, **ATTENTION.get(task, ({}, {}))[bool(plus)]}


def _measured(
    task: str,
    name: str,
    out: Path,
    given: dict[str, Any],
    recipe: Path | None,
    budget: float,
    seeds: int,
    console: Console,
) -> Measured:
    first = gather(task, recipe, given)
    trial = make_task(task, first.options)
    examples = trial.read(first.train, first.valid)
    network = trial.network()
    step, epoch = _seconds(trial, network, examples)
    epochs = max(1, int(budget / epoch))
    console.print(f"{name}: {epochs} epochs of about {epoch:.1f} seconds")
    models, started = [], perf_counter()
    for seed in range(seeds):
        folder = out / (name if seeds == 1 else f"{name}-{seed}")
        models.append(start_run(gather(task, recipe, {**given, "epochs": epochs, "seed": seed}), folder, console))
    seconds = (perf_counter() - started) / seeds
    scores = [judged(each.task.examiner(), each.network, examples.valid).scores()[trial.best[0]] for each in models]
    model = models[0]
    return Measured(
        name=name,
        score=fmean(scores),
        spread=pstdev(scores),
        parameters=sum(parameter.numel() for parameter in model.network.parameters()),
        epochs=epochs,
        seconds=round(seconds, 1),
        steps_per_second=1 / step,
        step_milliseconds=1000 * _step_seconds(model.network),
        reach=_reach(model.task, model.network, examples.valid.batch(0)),
        by_length=_by_length(model.task, model.network, examples.valid),
    )


def _seconds(task: Task, network: nn.Module, examples: Examples) -> tuple[float, float]:
    """Of a training step, and of an epoch with its validation; the network is changed by it."""
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-6)
    times = []
    for number in range(WARM_UP + TIMED):
        start = perf_counter()
        optimiser.zero_grad()
        task.loss(network.train(), examples.train.batch(number), None).mean.backward()
        optimiser.step()
        times.append(perf_counter() - start)
    step = median(times[WARM_UP:])
    few = Group([examples.valid.batch(number) for number in range(min(2, len(examples.valid)))])
    start = perf_counter()
    judged(task.examiner(), network, few)
    return step, step * len(examples.train) + (perf_counter() - start) * len(examples.valid) / len(few)


def _step_seconds(network: nn.Module) -> float:
    """Of one more step of a stream; a network without a state reads its window again."""
    body = next(module for module in network.modules() if isinstance(module, Recurrent | Body))
    if isinstance(body, Recurrent) and body.directions == 1:
        step, x = compile_step(body.eval(), batch=1), torch.zeros(1, body.input_size)
        return _timed(lambda: step(x))
    window = torch.zeros(WINDOW, 1, body.input_size)
    return _timed(lambda: body.eval()(window))


@torch.inference_mode()
def _timed(call: Any) -> float:
    times = []
    for _ in range(30):
        start = perf_counter()
        call()
        times.append(perf_counter() - start)
    return median(times[5:])


def _reach(task: Task, network: nn.Module, batch: Any) -> int | None:
    """Steps back from the last output of the first recurrent layers, on real inputs."""
    body = next((module for module in network.modules() if isinstance(module, Recurrent)), None)
    if body is None:
        return None
    seen: list[Tensor] = []
    handle = body.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    with torch.no_grad():
        task.loss(network.eval(), batch, None)
    handle.remove()
    norms = gradient_flow(body, seen[0])[0]
    faint = (norms < FAINT * norms[0]).nonzero()
    return int(faint[0]) if len(faint) else len(norms)


def _by_length(task: Task, network: nn.Module, batches: Any) -> tuple[tuple[str, float, int], ...]:
    """The score of groups of examples, the shortest first; none where they have no lengths, or all have one."""
    rows = getattr(batches, "rows", None)
    if not isinstance(rows, RowsByLength) or len(rows.lengths.unique()) < 2:
        return ()
    found = []
    for part in rows.lengths.argsort(stable=True).chunk(BUCKETS):
        group = Group([batches.of(few.tolist()) for few in part.split(AT_ONCE)])
        score = judged(task.examiner(), network, group).scores()[task.best[0]]
        found.append((f"{rows.lengths[part[0]]}-{rows.lengths[part[-1]]}", score, len(part)))
    return tuple(found)
