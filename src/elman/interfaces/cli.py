"""The command line: `elman train TASK`, `evaluate`, `predict`, `cells`, `doctor`."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn, cast

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from elman.data import read_text, write_text
from elman.errors import ElmanError, Interrupted, OptionError
from elman.interfaces.cells import describe_cells
from elman.interfaces.doctor import examine
from elman.interfaces.train import train_app
from elman.tasks import Writing, load

app = typer.Typer(
    name="elman",
    help="Recurrent networks from equation to service.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(train_app, name="train")

Run = Annotated[Path, typer.Argument(help="The run folder of a trained model.", metavar="RUN", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text for people.")]

out = Console(highlight=False, soft_wrap=True, markup=False)

ClickException = cast(type[Exception], typer.BadParameter.__mro__[2])
"""What Typer raises where a command's words are wrong; its library differs between versions, its place does not."""

DEFAULTS = Writing()
WRITING = {name: field.description for name, field in Writing.model_fields.items()}


@app.command()
def evaluate(
    run: Run,
    file: Annotated[Path | None, typer.Argument(help="What to judge the model on.", show_default=False)] = None,
    text: Annotated[str | None, typer.Option(help="A text to score instead of a file.")] = None,
    as_json: Json = False,
) -> None:
    """Say how well a model does on a file, or how well it expects a text."""
    if (file is None) == (text is None):
        raise OptionError("evaluate expects a file or --text, one of the two; e.g. elman evaluate RUN test.txt")
    model = load(run)
    scores = model.score(text) if text is not None else model.evaluate(file or "")
    if as_json:
        print(json.dumps(scores))
        return
    table = Table("score", "value")
    for name, value in scores.items():
        table.add_row(name, f"{value:.4f}")
    out.print(table)


@app.command()
def predict(
    run: Run,
    prompt: Annotated[str | None, typer.Argument(help="How the text begins.", show_default=False)] = None,
    source: Annotated[Path | None, typer.Option("--input", help="A file with one prompt a line.")] = None,
    target: Annotated[Path | None, typer.Option("--out", help="Where answers go, one JSON object a line.")] = None,
    length: Annotated[int, typer.Option(help=WRITING["length"])] = DEFAULTS.length,
    temperature: Annotated[float, typer.Option(help=WRITING["temperature"])] = DEFAULTS.temperature,
    top_k: Annotated[int | None, typer.Option(help=WRITING["top_k"])] = None,
    top_p: Annotated[float | None, typer.Option(help=WRITING["top_p"])] = None,
    stop: Annotated[str | None, typer.Option(help=WRITING["stop"])] = None,
    seed: Annotated[int, typer.Option(help="The same seed writes the same text.")] = 0,
    as_json: Json = False,
) -> None:
    """Let a model write on, after a prompt or after each line of a file."""
    if source is not None and prompt is not None:
        raise OptionError(f"predict expects a prompt or --input, one of the two; received {prompt!r} and {source}")
    prompt = prompt or ""
    prompts = [prompt] if source is None else read_text(source).removesuffix("\n").split("\n")
    model = load(run)
    settings: dict[str, Any] = {
        "length": length,
        "temperature": temperature,
        "top_k": top_k,
        "top_p": top_p,
        "stop": stop,
        "seed": seed,
    }
    if source is None and target is None and not as_json:
        pieces = model.stream(prompt, **settings)
        sys.stdout.write(prompt)
        for piece in pieces:
            sys.stdout.write(piece)
            sys.stdout.flush()
        print()
        return
    answers = zip(prompts, model.predict(prompts, **settings), strict=True)
    lines = "".join(json.dumps({"prompt": p, "text": t}, ensure_ascii=False) + "\n" for p, t in answers)
    if target is None:
        sys.stdout.write(lines)
    else:
        write_text(target, lines)
        out.print(f"{len(prompts)} answers in {target}")


@app.command()
def cells(
    name: Annotated[str | None, typer.Argument(help="A cell's name, or your own as file.py:Class.")] = None,
    input_size: Annotated[int, typer.Option(min=1, help="Width of the input, for counting parameters.")] = 128,
    hidden_size: Annotated[int, typer.Option(min=1, help="Width of the output, for counting parameters.")] = 128,
    as_json: Json = False,
) -> None:
    """List the cells: equation, parameters, and what runs them."""
    rows = describe_cells(name, input_size, hidden_size)
    if as_json:
        print(json.dumps(rows, ensure_ascii=False))
        return
    table = Table("cell", "equation", "parameters", "state", "runs on", show_lines=True)
    for row in rows:
        state = " + ".join(str(width) for width in row["state"])
        table.add_row(row["name"], Text(row["equation"]), f"{row['parameters']:,}", state, row["backend"])
    out.print(table)
    out.print(f"parameters for input {input_size} and output {hidden_size}; {rows[0]['reason']}")


@app.command()
def doctor(as_json: Json = False) -> None:
    """Say what this machine and installation have, and what is missing."""
    facts = examine()
    if as_json:
        print(json.dumps(facts))
        return
    table = Table("what", "found", show_header=False)
    for name, value in facts.items():
        table.add_row(name, "yes" if value is True else "no" if value is False else str(value))
    out.print(table)


def main() -> None:
    """Run a command; what Elman itself finds wrong is one line on standard error and exit code 2."""
    try:
        sys.exit(app(prog_name="elman", standalone_mode=False) or 0)
    except Interrupted as stop:
        sys.stderr.write(f"{stop}\n")
        sys.exit(130)
    except ElmanError as error:
        _complain(str(error))
    except ClickException as error:
        _complain(_nearest(error))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        sys.stderr.close()
        sys.exit(0)


def _nearest(error: Any) -> str:
    """Typer's message; of an unknown option with the nearest one instead of an alphabet of them."""
    near = getattr(error, "possibilities", None)
    return f"there is no option {error.option_name}; did you mean {near[0]}?" if near else error.format_message()


def _complain(message: str) -> NoReturn:
    if message:  # there is none where a command without words has shown its help
        sys.stderr.write(f"elman: {' '.join(message.split())}\n")
    sys.exit(2)
