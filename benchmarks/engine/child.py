"""A measurement in a process of its own: `python -m engine.NAME ...`, which prints its result in the last line."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent.parent
"""Where `engine` can be imported."""


def command(name: str, *words: object) -> list[str]:
    """What to run in `HERE`."""
    return [sys.executable, "-m", f"engine.{name}", *map(str, words)]


def last_line(name: str, *words: object, **environment: str) -> str:
    """The result of a child that ends well; one that fails says why in its own last line."""
    call = {"cwd": HERE, "env": os.environ | environment}
    done = subprocess.run(command(name, *words), **call, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no words"]
        raise RuntimeError(f"engine.{name} ended with {done.returncode}: {lines[-1]}")
    return done.stdout.splitlines()[-1]
