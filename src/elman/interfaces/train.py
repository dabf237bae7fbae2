"""`elman train TASK`: one command for each task, its options and help made from the recipe's fields."""

import json
from collections.abc import Callable
from pathlib import Path
from shlex import quote
from typing import Any

import typer
from rich.console import Console

from elman.errors import Interrupted
from elman.interfaces.options import fields, option, switch, with_options
from elman.tasks import TASKS, Model, Task
from elman.training import TrainingOptions, gather, preview, read_metrics, train

train_app = typer.Typer(help="Train a model for a task.", no_args_is_help=True)

DATA, MODEL, TRAINING = "Data and run", "Task and model", "Training"

COMMON = {
    "train": (Path, "The training data; a set that needs no file when omitted.", DATA),
    "valid": (Path, "The validation data; split from the training data when omitted.", DATA),
    "out": (Path, "The run folder; runs/TASK when omitted.", DATA),
    "from_": (Path, "A run whose vocabulary, weights and network settings are the start.", DATA),
    "teacher": (Path, "A run whose answers are learned beside the true ones, by a smaller network maybe.", DATA),
    "recipe": (Path, "A TOML file with settings; options on the command line count more.", DATA),
}
SWITCHES = {
    "resume": "Go on with the run in --out, with its own settings.",
    "dry_run": "Show the first examples as they are read, and train nothing.",
    "json": "Print the scores, or what --dry-run shows, as one JSON object.",
}


def command_for(task: type[Task]) -> Callable[..., None]:
    """The command that trains a task; its signature lists every option, for Typer to read."""

    def command(**given: Any) -> None:
        switches = {name: given.pop(name) for name in SWITCHES}
        values = {name: value for name, value in given.items() if value is not None}
        if switches["dry_run"]:
            _dry_run(task.name, values, switches["json"])
        else:
            _train(task.name, values, switches)

    parameters = [option(name, kind, text, panel) for name, (kind, text, panel) in COMMON.items()]
    parameters += [switch(name, text, DATA) for name, text in SWITCHES.items()]
    parameters += [*fields(task.options_class, MODEL), *fields(TrainingOptions, TRAINING)]
    return with_options(command, parameters, task.summary)


def _train(task: str, values: dict[str, Any], switches: dict[str, bool]) -> None:
    out = Path(values.get("out", f"runs/{task}"))
    try:
        model = train(task, resume=switches["resume"], **values)
    except Interrupted as stop:
        if not (out / "config.json").exists():
            raise
        raise Interrupted(f"{stop}; go on with: elman train {task} --out {quote(str(out))} --resume") from None
    _tell(model, out, switches["json"])


def _tell(model: Model, out: Path, as_json: bool) -> None:
    metrics = read_metrics(out)
    if as_json:
        print(json.dumps({"out": str(out), **metrics}))
        return
    scores = ", ".join(f"{name} {value:.4f}" for name, value in metrics["valid"].items())
    console = Console(highlight=False, soft_wrap=True, markup=False)
    console.print(f"validation: {scores}")
    for note in metrics.get("notes", ()):
        console.print(note)
    console.print(f"the model is in {out}; use it with: elman predict {out}")


def _dry_run(task: str, values: dict[str, Any], as_json: bool) -> None:
    console = Console(highlight=False, soft_wrap=True, markup=False)
    path = values.pop("recipe", None)
    values.pop("out", None)
    examples = preview(gather(task, path, values))
    if as_json:
        print(json.dumps({"notes": examples.notes, **examples.facts, "rows": examples.rows}))
        return
    for note in examples.notes:
        console.print(note)
    for name, value in examples.facts.items():
        console.print(f"{name}: {value:,}")
    for number, row in enumerate(examples.rows, 1):
        console.print(f"row {number}: {row!r}")


@train_app.callback()
def _group() -> None:
    """Train a model for a task."""


for _task in TASKS.values():
    train_app.command(_task.name, help=_task.summary)(command_for(_task))
