"""`elman inspect`: what goes on inside a network while it reads one input."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from elman.data import write_text
from elman.errors import OptionError
from elman.interfaces.predict import RUN
from elman.interfaces.report import write_report
from elman.tasks import load

TEXT = typer.Argument(help="What to read.", show_default=False)
INPUT = typer.Option("--input", help="A file as for predict; the first input in it is read.", show_default=False)
OUT = typer.Option("--out", help="Where the page goes, .html; or .json, all numbers.")
FOLLOW = typer.Option(
    "--follow", help="Which units follow this: quote, position, or since: and what to count from.", show_default=False
)
UNITS = typer.Option("--units", help="Units that are drawn, such as 3,17; the liveliest when nothing is said.")


def inspect(
    run: Annotated[Path, RUN],
    text: Annotated[str | None, TEXT] = None,
    source: Annotated[Path | None, INPUT] = None,
    out: Annotated[Path, OUT] = Path("report.html"),
    follow: Annotated[list[str] | None, FOLLOW] = None,
    units: Annotated[str | None, UNITS] = None,
) -> None:
    """Show what goes on inside a network while it reads: gates, states, what mattered, how far gradients reach."""
    if source is not None and text is not None:
        raise OptionError(f"inspect expects a text or --input, one of the two; received {text!r} and {source}")
    if out.suffix not in (".html", ".json"):
        raise OptionError(f"--out expects a name that ends in .html or .json; received {out}")
    if units is not None and out.suffix == ".json":
        raise OptionError("--units chooses what a page shows; .json has all units; leave it away")
    model = load(run)
    given: Any = text or ""
    if source is not None:
        given = model.task.read_inputs(source)[0]
    inspection = model.inspect(given)
    if out.suffix == ".json":
        found = {name: [vars(one) for one in inspection.tracking(name)] for name in follow or []}
        numbers = {**inspection.as_json(), "following": found}
        write_text(out, json.dumps(numbers, ensure_ascii=False) + "\n")
        written = [out]
    else:
        written = write_report(inspection, out, follow or [], _numbers(units, inspection.layers[0]))
    console = Console(highlight=False, soft_wrap=True, markup=False)
    console.print(f"{len(inspection.steps):,} steps; see {', '.join(map(str, written))}")


def _numbers(units: str | None, layer: Any) -> list[int] | None:
    if units is None:
        return None
    found = [int(unit) for unit in units.split(",") if unit.strip().isdecimal()]
    most = max(values.shape[1] for values in layer.values())
    if len(found) != len(units.split(",")) or not all(unit < most for unit in found):
        raise OptionError(f"--units expects numbers from 0 to {most - 1} with commas between them; received {units!r}")
    return found
