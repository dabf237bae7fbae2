"""The command line: `elman train TASK`, `compare TASK`, `evaluate`, `predict`, `inspect`, `update` and so on."""

import json
import sys
import warnings
from typing import Annotated, Any, NoReturn, cast

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from elman.errors import ElmanError, Interrupted
from elman.interfaces.cells import describe_cells
from elman.interfaces.compare import compare_app
from elman.interfaces.doctor import examine
from elman.interfaces.evaluate import evaluate_command
from elman.interfaces.inspect import inspect
from elman.interfaces.predict import predict_command
from elman.interfaces.serve import serve_command
from elman.interfaces.train import train_app
from elman.interfaces.update import update_command

app = typer.Typer(
    name="elman",
    help="Recurrent networks from equation to service.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(train_app, name="train")
app.add_typer(compare_app, name="compare")

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text for people.")]

out = Console(highlight=False, soft_wrap=True, markup=False)

ClickException = cast(type[Exception], typer.BadParameter.__mro__[2])
"""What Typer raises where a command's words are wrong; its library differs between versions, its place does not."""

app.command("evaluate")(evaluate_command)
app.command("predict")(predict_command)
app.command("inspect")(inspect)
app.command("serve")(serve_command)
app.command("update")(update_command)


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
    warnings.showwarning = _remark
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


def _remark(message: Warning | str, *_: Any, **__: Any) -> None:
    """A warning as one line for people."""
    sys.stderr.write(f"elman: {message}\n")


def _nearest(error: Any) -> str:
    """Typer's message; of an unknown option with the nearest one instead of an alphabet of them."""
    near = getattr(error, "possibilities", None)
    return f"there is no option {error.option_name}; did you mean {near[0]}?" if near else error.format_message()


def _complain(message: str) -> NoReturn:
    if message:  # there is none where a command without words has shown its help
        sys.stderr.write(f"elman: {' '.join(message.split())}\n")
    sys.exit(2)
