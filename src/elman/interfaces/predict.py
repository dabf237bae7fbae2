"""`elman predict`: answers of a model, to one input or to each line of a file."""

import json
import sys
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from elman.data import comma_separated, write_text
from elman.errors import OptionError
from elman.interfaces.options import fields, option, switch, with_options
from elman.tasks import TASKS, Model, load

ANSWER = "Input and answer"
TABLES = (".csv", ".json", ".jsonl", ".txt", ".out", "")
"""Ends of files for answers of any task."""


def predict(run: Path, text: str | None = None, **given: Any) -> None:
    """Answer, and put the answers where they are wanted."""
    source, target, picture, as_json = (given.pop(name) for name in ("input", "out", "picture", "json"))
    if source is not None and text is not None:
        raise OptionError(f"predict expects a text or --input, one of the two; received {text!r} and {source}")
    settings = {name: value for name, value in given.items() if value is not None}
    model = load(run)
    if source is None and text is None and model.task.needs_input:
        raise OptionError(f"predict expects a text, or --input with a file; e.g. elman predict {run} 'a text'")
    inputs = [text or ""] if source is None else model.task.read_inputs(source)
    if picture is not None:
        model.draw(inputs[0], picture, **settings)
    plain = source is None and target is None and not as_json and "n_best" not in settings
    if plain and not model.task.answers_in_rows:
        _stream(model, inputs[0], settings)
        return
    if target is not None and target.suffix.lower() not in TABLES:
        written = model.write(inputs, target, **settings)
        Console(highlight=False, soft_wrap=True, markup=False).print(f"{written} in {target}")
        return
    rows = model.task.rows(inputs, model.predict(inputs, **settings))
    if target is not None:
        write_text(target, comma_separated(rows) if target.suffix == ".csv" else _json_lines(rows))
        Console(highlight=False, soft_wrap=True, markup=False).print(f"{len(rows)} answers in {target}")
    else:
        sys.stdout.write(comma_separated(rows) if plain else _json_lines(rows))


def _stream(model: Model, text: str, settings: dict[str, Any]) -> None:
    pieces = model.stream(text, **settings)
    sys.stdout.write(text if model.task.continues else "")
    for piece in pieces:
        sys.stdout.write(piece)
        sys.stdout.flush()
    print()


def _json_lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


RUN = typer.Argument(help="The run folder of a trained model.", metavar="RUN", show_default=False)
TEXT = typer.Argument(help="What to answer, or how the text begins.", show_default=False)

predict_command = with_options(
    predict,
    [
        Parameter("run", Parameter.POSITIONAL_OR_KEYWORD, annotation=Annotated[Path, RUN]),
        Parameter("text", Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=Annotated[str | None, TEXT]),
        option("input", Path, "A file with one input a line, or a table as in training.", ANSWER),
        option(
            "out",
            Path,
            "Where answers go: .csv, or what the task writes, such as .wav, .png, .srt; otherwise JSON lines.",
            ANSWER,
        ),
        option("picture", Path, "A PNG of what was looked at for each unit of the first answer.", ANSWER),
        option("seed", int, "The same seed draws the same answers.", ANSWER, "0"),
        switch("json", "Print one JSON object for each answer.", ANSWER),
        *(each for task in TASKS.values() for each in fields(task.predicting_class, f"Of models that {task.name}")),
    ],
    "Let a model answer, or write on, after a text or after each line of a file.",
)
