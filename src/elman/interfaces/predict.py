"""`elman predict`: answers of a model, to one input or to each line of a file."""

import json
import sys
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from elman.data import write_text
from elman.errors import OptionError
from elman.interfaces.options import fields, option, switch, with_options
from elman.tasks import TASKS, Model, load

ANSWER = "Input and answer"


def predict(run: Path, text: str | None = None, **given: Any) -> None:
    """Answer, and put the answers where they are wanted."""
    source, target, picture, as_json = (given.pop(name) for name in ("input", "out", "picture", "json"))
    if source is not None and text is not None:
        raise OptionError(f"predict expects a text or --input, one of the two; received {text!r} and {source}")
    settings = {name: value for name, value in given.items() if value is not None}
    model = load(run)
    if source is None and text is None and not model.task.continues:
        raise OptionError(f"predict expects a text, or --input with a file; e.g. elman predict {run} 'a text'")
    inputs = [text or ""] if source is None else model.task.read_inputs(source)
    if picture is not None:
        model.draw(inputs[0], picture, **settings)
    if source is None and target is None and not as_json and "n_best" not in settings:
        _stream(model, inputs[0], settings)
        return
    names = [one if isinstance(one, str) else number for number, one in enumerate(inputs, 1)]
    entries = [
        {"input": name, **_said(model, answer)}
        for name, answer in zip(names, model.predict(inputs, **settings), strict=True)
    ]
    lines = "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)
    if target is None:
        sys.stdout.write(lines)
    else:
        write_text(target, lines)
        Console(highlight=False, soft_wrap=True, markup=False).print(f"{len(inputs)} answers in {target}")


def _stream(model: Model, text: str, settings: dict[str, Any]) -> None:
    pieces = model.stream(text, **settings)
    sys.stdout.write(text if model.task.continues else "")
    for piece in pieces:
        sys.stdout.write(piece)
        sys.stdout.flush()
    print()


def _said(model: Model, answer: Any) -> dict[str, Any]:
    """An answer as JSON."""
    if isinstance(answer, list) and answer and hasattr(answer[0], "as_json"):
        return {"answers": [one.as_json() for one in answer]}
    return {model.task.answers_with: answer}


RUN = typer.Argument(help="The run folder of a trained model.", metavar="RUN", show_default=False)
TEXT = typer.Argument(help="What to answer, or how the text begins.", show_default=False)

predict_command = with_options(
    predict,
    [
        Parameter("run", Parameter.POSITIONAL_OR_KEYWORD, annotation=Annotated[Path, RUN]),
        Parameter("text", Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=Annotated[str | None, TEXT]),
        option("input", Path, "A file with one input a line.", ANSWER),
        option("out", Path, "Where answers go, one JSON object a line.", ANSWER),
        option("picture", Path, "A PNG of what was looked at for each unit of the first answer.", ANSWER),
        option("seed", int, "The same seed draws the same answers.", ANSWER, "0"),
        switch("json", "Print one JSON object for each answer.", ANSWER),
        *(each for task in TASKS.values() for each in fields(task.predicting_class, f"Of models that {task.name}")),
    ],
    "Let a model answer, or write on, after a text or after each line of a file.",
)
