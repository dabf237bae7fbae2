"""Results of benchmarks: one JSON file each, with everything that is needed to read the numbers later."""

import json
import platform
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from elman.data import write_json
from elman.interfaces.doctor import examine

FOLDER = Path(__file__).parent / "results"
ROOT = FOLDER.parent.parent
LIBRARIES = ("elman", "torch", "lightning", "tokenizers", "numpy")


def write_result(
    name: str, metrics: dict[str, float], seconds: float, rows: list[dict[str, Any]] | None = None, note: str = ""
) -> Path:
    """Write `results/NAME.json`.

    Args:
        name: Of the file.
        metrics: What was measured, by key.
        seconds: How long it took.
        rows: The same in detail.
        note: What a reader must know to read the numbers rightly.
    """
    result = {
        "name": name,
        "command": shlex.join(["python", *[word for word in sys.argv if " " not in word]]),
        "commit": _git("rev-parse", "--short", "HEAD") + ("+" if _git("status", "--porcelain", "--", "src") else ""),
        "date": date.today().isoformat(),
        "hardware": hardware(),
        "versions": {"python": platform.python_version()} | {library: version(library) for library in LIBRARIES},
        "seconds": round(seconds, 1),
        "metrics": metrics,
        "rows": rows or [],
    } | ({"note": note} if note else {})
    path = FOLDER / f"{name}.json"
    write_json(path, result)
    print(json.dumps({"name": name, **metrics}), f"-> {path.relative_to(ROOT)}")
    return path


def measured(
    name: str, key: str, known: Iterable[str], measure: Callable[[str], dict[str, Any]]
) -> list[dict[str, Any]]:
    """A row for each of the known names: those on the command line anew, or all; the others as they were, if they were.

    Args:
        name: Of the result's file.
        key: Where a row says which one it is of.
        known: Names that may stand on the command line.
        measure: From a name to its row.
    """
    names = list(known)
    if unknown := [word for word in sys.argv[1:] if word not in names]:
        sys.exit(f"expected some of: {', '.join(names)}; received {unknown[0]}")
    path = FOLDER / f"{name}.json"
    kept = {row[key]: row for row in json.loads(path.read_text())["rows"]} if path.exists() else {}
    wanted = sys.argv[1:] or names
    return [measure(each) if each in wanted or each not in kept else kept[each] for each in names]


def hardware() -> str:
    """Processor, cores and instruction set in words."""
    facts = examine()
    return f"{facts['processor']}, {facts['cores']} cores, {facts['instruction set']}"


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
