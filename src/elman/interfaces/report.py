"""An inspection as one page that needs nothing else, and its pictures as files."""

import base64
import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

from elman.data import replacing, write_text
from elman.pictures import draw_alignment, draw_gates, draw_gradient_flow, draw_importance
from elman.tasks import Inspection, liveliest, units_in_order

UNITS = 48
"""Units of a layer that are drawn, when nothing is said: those that change most."""
ANSWER = 2000
"""Characters of an answer that are shown."""

STYLE = """
:root { color-scheme: light dark; font-family: system-ui, sans-serif; line-height: 1.5 }
body { max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
img { max-width: 100%; background: white; border-radius: 4px }
table { border-collapse: collapse } td, th { padding: .2rem .8rem; text-align: left; border-bottom: 1px solid #8884 }
pre { white-space: pre-wrap; overflow-wrap: anywhere }
"""


def write_report(
    inspection: Inspection, out: Path, properties: Sequence[str] = (), units: Sequence[int] | None = None
) -> list[Path]:
    """Write a page, and its pictures beside it as PNG.

    Args:
        inspection: What was seen.
        out: Where the page goes; the pictures' names begin with its own.
        properties: Names of what units may follow, as `property_of` knows them.
        units: Those that are drawn; the liveliest, those that move together side by side, when omitted.

    Returns:
        What was written.

    Raises:
        OptionError: There is no such property.
    """
    followed = [(name, inspection.tracking(name)) for name in properties]
    with TemporaryDirectory() as folder:
        pictures = _draw(inspection, Path(folder), units)
        parts = [_answer(inspection), *(_picture(title, path) for title, path in pictures), _saturation(inspection)]
        parts += [_table(f"Units that follow “{name}”", _rows(found)) for name, found in followed]
        title = "What the network saw"
        page = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
        written = []
        for _, path in pictures:
            with replacing(out.with_name(f"{out.stem}-{path.name}")) as copy:
                copy.write_bytes(path.read_bytes())
            written.append(out.with_name(f"{out.stem}-{path.name}"))
        write_text(out, f"{page}<main><h1>{title}</h1>{''.join(parts)}</main></html>\n")
    return [out, *written]


def _draw(inspection: Inspection, folder: Path, units: Sequence[int] | None) -> list[tuple[str, Path]]:
    """Titles and pictures."""
    found = [("Which steps mattered", folder / "importance.png")]
    accounts = {"integrated gradients": inspection.importance, "occlusion": inspection.occlusion}
    draw_importance(found[-1][1], inspection.steps, accounts)
    if inspection.alignment is not None:
        found.append(("What was looked at for each unit written", folder / "alignment.png"))
        draw_alignment(found[-1][1], inspection.steps, inspection.written, inspection.alignment)
    for number, layer in enumerate(inspection.layers):
        found.append((f"Layer {number}: gates and states", folder / f"layer-{number}.png"))
        first = layer["hidden"] if "hidden" in layer else next(iter(layer.values()))
        lively = liveliest(first, UNITS)
        chosen = [lively[place] for place in units_in_order(first[:, lively])] if units is None else units
        draw_gates(found[-1][1], inspection.steps, layer, chosen)
    found.append(("How far gradients reach back", folder / "reach.png"))
    draw_gradient_flow(found[-1][1], {name: norms.tolist() for name, norms in inspection.reach.items()})
    return found


def _answer(inspection: Inspection) -> str:
    answer = inspection.answer
    said = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
    read = " ".join(step.strip(" ") or "␣" for step in inspection.steps)
    return (
        f"<h2>Read, {len(inspection.steps):,} steps</h2><pre>{escape(read[:ANSWER])}</pre>"
        f"<h2>Answered</h2><pre>{escape(said[:ANSWER])}</pre>"
        f"<p>The shares below leave {inspection.unexplained:.3g} of how sure this is unexplained.</p>"
    )


def _picture(title: str, path: Path) -> str:
    data = base64.b64encode(path.read_bytes()).decode()
    return f'<h2>{escape(title)}</h2><img alt="{escape(title)}" src="data:image/png;base64,{data}">'


def _saturation(inspection: Inspection) -> str:
    rows = [
        (str(number), name.replace("_", " "), f"{shares['shut']:.1%}", f"{shares['open']:.1%}")
        for number, layer in enumerate(inspection.saturation)
        for name, shares in layer.items()
    ]
    return _table("Gates that are stuck", [("layer", "gate", "below 0.1", "above 0.9"), *rows]) if rows else ""


def _rows(found: Sequence[object]) -> list[tuple[str, ...]]:
    header = ("layer", "state", "unit", "correlation")
    return [header, *(tuple(str(value) for value in vars(one).values()) for one in found)]


def _table(title: str, rows: Sequence[Sequence[str]]) -> str:
    header, *body = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows]
    lines = (header.replace("td>", "th>"), *body)
    return f"<h2>{escape(title)}</h2><table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"
