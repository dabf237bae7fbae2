"""`elman compare TASK`: several networks under one budget, side by side."""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from elman.errors import OptionError
from elman.interfaces.options import fields, option, switch, with_options
from elman.interfaces.train import DATA, MODEL, TRAINING
from elman.tasks import TASKS, Task
from elman.training import Measured, TrainingOptions, compare

compare_app = typer.Typer(help="Train several networks under one budget.", no_args_is_help=True)

NETWORKS = "What is compared"
WIDE = 120
"""Characters of a table that goes to a file."""
DEFAULT = "rnn,lstm,gru"
UNITS = {"s": 1, "m": 60, "h": 3600}


def command_for(task: type[Task]) -> Callable[..., None]:
    """The command that compares networks for a task."""

    def command(**given: Any) -> None:
        as_json = given.pop("json")
        values = {name: value for name, value in given.items() if value is not None}
        names = [name.strip() for name in values.pop("with_", DEFAULT).split(",") if name.strip()]
        out, recipe = Path(values.pop("out", f"runs/compare-{task.name}")), values.pop("recipe", None)
        budget, seeds = seconds_of(values.pop("budget", "10m")), values.pop("seeds", 1)
        console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
        found = compare(
            task.name, names, out, values, recipe=recipe, budget=budget, seeds=max(1, seeds), console=console
        )
        _tell(found, out, as_json)

    parameters = [
        option("with_", str, "Cells, transformer, cnn or mlp, with commas between them.", NETWORKS, DEFAULT),
        option("budget", str, "Time for one training, such as 90s, 10m or 1h; at least an epoch.", NETWORKS, "10m"),
        option("seeds", int, "Trainings of each network; scores are their mean.", NETWORKS, "1"),
        option("train", Path, "The training data; a set that needs no file when omitted.", DATA),
        option("valid", Path, "What scores are of; split from the training data when omitted.", DATA),
        option("out", Path, "A new folder; runs/compare-TASK when omitted.", DATA),
        option("recipe", Path, "A TOML file with settings that all share.", DATA),
        switch("json", "Print the rows as one JSON list.", DATA),
        *(each for each in fields(task.options_class, MODEL) if each.name not in ("cell", "network")),
        *(each for each in fields(TrainingOptions, TRAINING) if each.name not in ("epochs", "seed")),
    ]
    return with_options(command, parameters, f"Compare networks: {task.summary[0].lower()}{task.summary[1:]}")


def seconds_of(text: str) -> float:
    """A span of time in seconds.

    Raises:
        OptionError: It is none.

    Example:
        >>> seconds_of("10m")
        600.0
    """
    try:
        found = float(text.rstrip("smh")) * UNITS[text[-1:] if text[-1:] in UNITS else "s"]
    except ValueError:
        found = 0.0
    if found <= 0:
        raise OptionError(f"budget expects a time such as 90s, 10m or 1h; received {text!r}")
    return found


def _tell(found: list[Measured], out: Path, as_json: bool) -> None:
    if as_json:
        print(json.dumps([asdict(one) for one in found]))
        return
    console = Console(highlight=False, soft_wrap=True, markup=False, width=None if sys.stdout.isatty() else WIDE)
    table = Table("network", "score", "±", "parameters", "epochs", "steps/s", "ms a step", "reach")
    for one in found:
        cells = one.name, f"{one.score:.4f}", f"{one.spread:.4f}", f"{one.parameters:,}", f"{one.epochs}"
        speeds = (
            f"{one.steps_per_second:.1f}",
            f"{one.step_milliseconds:.3f}",
            "-" if one.reach is None else f"{one.reach}",
        )
        table.add_row(*cells, *speeds)
    console.print(table)
    console.print(f"runs, comparison.json and by_length.png are in {out}")


@compare_app.callback()
def _group() -> None:
    """Train several networks under one budget, and show them side by side."""


for _task in TASKS.values():
    compare_app.command(_task.name, help=_task.summary)(command_for(_task))
