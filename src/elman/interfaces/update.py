"""`elman update`: a trained model goes on learning from new examples."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from elman.data import read_json
from elman.interfaces.predict import RUN
from elman.training import update

LEARNING = "What is learned"

Data = Annotated[
    Path,
    typer.Option(help="New examples in the order in which they came.", rich_help_panel=LEARNING, show_default=False),
]
Out = Annotated[
    Path | None, typer.Option(help="The new run folder; RUN-updated when omitted.", rich_help_panel=LEARNING)
]
Portion = Annotated[
    int | None,
    typer.Option(help="Examples that come at once, 100; of series steps, a horizon.", rich_help_panel=LEARNING),
]
Epochs = Annotated[int, typer.Option(min=1, help="How often a portion is learned.", rich_help_panel=LEARNING)]
Rate = Annotated[
    float | None, typer.Option(help="The size of a step; the run's own when omitted.", rich_help_panel=LEARNING)
]
Json = Annotated[bool, typer.Option("--json", help="Print the scores as one JSON object.", rich_help_panel=LEARNING)]


def update_command(
    run: Annotated[Path, RUN],
    data: Data,
    out: Out = None,
    portion: Portion = None,
    epochs: Epochs = 1,
    learning_rate: Rate = None,
    as_json: Json = False,
) -> None:
    """Let a model go on learning: new examples are first a test, then a lesson; the run itself stays as it is."""
    out = out or run.with_name(f"{run.name}-updated")
    update(run, data, out, portion=portion, epochs=epochs, learning_rate=learning_rate)
    found = read_json(out / "updates.json")
    if as_json:
        print(json.dumps({"out": str(out), **found}))
        return
    console = Console(highlight=False, soft_wrap=True, markup=False)
    for who, name in (("learning", "with learning"), ("still", "without")):
        console.print(f"{name}: {', '.join(f'{score} {value:.4f}' for score, value in found[who].items())}")
    console.print(f"the model is in {out}; use it with: elman predict {out}")
