"""Results of benchmarks: one JSON file each, with everything that is needed to read the numbers later."""

import json
import platform
import shlex
import subprocess
import sys
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


def hardware() -> str:
    """Processor, cores and instruction set in words."""
    facts = examine()
    return f"{facts['processor']}, {facts['cores']} cores, {facts['instruction set']}"


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
