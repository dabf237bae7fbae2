"""Going on learning from examples as they come: each portion is first a test, then a lesson (Gama et al. 2013)."""

from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import Any

import torch
from rich.console import Console
from torch.nn.utils import clip_grad_norm_

from elman.data import write_json, write_text
from elman.errors import DataError, OptionError
from elman.pictures import draw_over_time
from elman.tasks import Batches, Model, Task, check_free, judged, load
from elman.training.card import model_card
from elman.training.determinism import deterministic
from elman.training.optimisers import make_optimiser
from elman.training.recipe import TrainingOptions


def update(
    run: str | Path,
    data: str | Path,
    out: str | Path,
    *,
    portion: int | None = None,
    epochs: int = 1,
    learning_rate: float | None = None,
    console: Console | None = None,
) -> Model:
    """Let a trained model go on learning; the run that it comes from stays as it is.

    Main arguments:
        run: The run folder of a model of the task `classify` or `forecast`.
        data: New examples in the order in which they came: rows of a table, or series behind those known.
        out: A new run folder.

    Other arguments:
        portion: Examples, or steps of the series, that come at once: 100, or a horizon, when omitted.
        epochs: How often a portion is learned.
        learning_rate: The size of a step; the run's own when omitted.
        console: Where progress is told; standard error when omitted.

    Returns:
        The model after the last portion. `updates.json` in its folder has the scores of each portion before it was
        learned, beside those of the model that stayed as it was, and their means.

    Raises:
        OptionError: The model's task cannot, or a setting is impossible.
        DataError: The data cannot be used.
        RunError: The run is unfinished or damaged, or `out` is not free.
    """
    console = console or Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    out, begin = Path(out), monotonic()
    check_free(out)
    model, before = load(run), load(run)
    settings = model.config["settings"]
    known = {name: value for name, value in settings.items() if name in TrainingOptions.model_fields}
    given = {"epochs": epochs, "learning_rate": learning_rate or known["learning_rate"]}
    options = TrainingOptions.of(known | given | {"schedule": "constant", "warmup": 0.0})
    if portion is not None and portion < 1:
        raise OptionError(f"portion expects a whole number of at least 1; received {portion}")
    rows = []
    with deterministic():
        torch.manual_seed(options.seed)
        learner = Learner(model, options)
        for number, (test, lesson) in enumerate(model.task.portions(Path(data), portion), 1):
            rows.append({"portion": number, "still": _scores(before, test), "learning": _scores(model, test)})
            learner.learn(lesson)
            _tell(console, model.task, rows[-1])
    if not rows:
        raise DataError(f"{data} has nothing new that is long enough to be judged; give more")
    metrics = {"still": _mean(rows, "still"), "learning": _mean(rows, "learning")}
    model.config |= {"notes": [*model.config["notes"], f"went on learning from {data} behind {run}"]}
    model.save(out)
    write_json(out / "updates.json", {**metrics, "portions": rows})
    lines = {name: [row[name][model.task.best[0]] for row in rows] for name in ("still", "learning")}
    draw_over_time(out / "pictures" / "updates.png", lines, "portion", model.task.best[0])
    scores = {"valid": metrics["learning"], "step": learner.steps, "seconds": round(monotonic() - begin, 1)}
    write_text(out / "card.md", model_card(model.config, model.network, scores, version("elman")))
    write_json(out / "metrics.json", scores)
    return model


class Learner:
    """A network with an optimiser."""

    def __init__(self, model: Model, options: TrainingOptions) -> None:
        self.task, self.network, self.options, self.steps = model.task, model.network, options, 0
        self.optimiser = make_optimiser([one for one in self.network.parameters() if one.requires_grad], options)

    def learn(self, lesson: Batches) -> None:
        """Read a portion, so many epochs."""
        self.network.train()
        for position in range(len(lesson) * self.options.epochs):
            self.optimiser.zero_grad()
            self.task.loss(self.network, lesson.batch(position), None).mean.backward()
            if self.options.clip_norm:
                clip_grad_norm_(self.network.parameters(), self.options.clip_norm)
            self.optimiser.step()
            self.steps += 1
        self.network.eval()


def _scores(model: Model, test: Batches) -> dict[str, float]:
    judge = judged(model.task.judge(), model.network, test)
    model.task.heed(judge)
    return judge.scores()


def _mean(rows: list[dict[str, Any]], who: str) -> dict[str, float]:
    return {name: sum(row[who][name] for row in rows) / len(rows) for name in rows[0][who]}


def _tell(console: Console, task: Task, row: dict[str, Any]) -> None:
    name = task.best[0]
    console.print(
        f"portion {row['portion']}  {name} {row['learning'][name]:.4f}  without learning {row['still'][name]:.4f}"
    )
