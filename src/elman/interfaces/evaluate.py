"""`elman evaluate`: how good a model is, by itself or against another one."""

import json
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from elman.data import write_text
from elman.errors import OptionError
from elman.interfaces.options import fields, option, switch, with_options
from elman.interfaces.predict import RUN
from elman.tasks import TASKS, load

JUDGING = "What is judged"


def evaluate(run: Path, file: Path | None = None, **given: Any) -> None:
    """Judge, and tell."""
    text, against, out, as_json = (given.pop(name) for name in ("text", "against", "out", "json"))
    if (file is None) == (text is None):
        raise OptionError("evaluate expects a file or --text, one of the two; e.g. elman evaluate RUN test.txt")
    settings = {name: value for name, value in given.items() if value is not None}
    model = load(run)
    if file is None:
        _tell(model.score(text or ""), (), as_json)
        return
    judge = model.judge(file, **settings)
    if out is not None:
        write_text(out, "".join(f"{answer}\n" for answer in judge.written()))
    if against is None:
        _tell(judge.scores(), judge.notes(), as_json)
    else:
        _tell(judge.against(load(against).judge(file, **settings)), judge.notes(), as_json)


def _tell(scores: dict[str, float], notes: tuple[str, ...], as_json: bool) -> None:
    if as_json:
        print(json.dumps(scores | ({"notes": notes} if notes else {})))
        return
    console = Console(highlight=False, soft_wrap=True, markup=False)
    table = Table("score", "value")
    for name, value in scores.items():
        table.add_row(name, f"{value:.4f}")
    console.print(table)
    for note in notes:
        console.print(note)


FILE = typer.Argument(help="What to judge the model on, in the form of its training data.", show_default=False)

evaluate_command = with_options(
    evaluate,
    [
        Parameter("run", Parameter.POSITIONAL_OR_KEYWORD, annotation=Annotated[Path, RUN]),
        Parameter("file", Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=Annotated[Path | None, FILE]),
        option("text", str, "A text to score instead of a file.", JUDGING),
        option("against", Path, "Another run: is the difference between both more than chance?", JUDGING),
        option("out", Path, "Where the model's answers go, one a line.", JUDGING),
        switch("json", "Print the scores as one JSON object.", JUDGING),
        *(
            each
            for task in TASKS.values()
            for each in (
                *fields(task.options_class, f"Of models that {task.name}", task.options_class.columns),
                *(fields(task.predicting_class, f"Of models that {task.name}") if task.answers_when_judged else ()),
            )
        ),
    ],
    "Say how good a model is on a file, or how well it expects a text.",
)
