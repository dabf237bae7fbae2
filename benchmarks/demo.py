"""How long `make demo` takes once everything is installed, from an empty run folder; and what has been learned."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from results import ROOT, write_result

from elman.data import read_json


def main() -> None:
    """Run the demo's commands as they stand in the Makefile."""
    elman = [sys.executable, "-m", "elman"]
    with TemporaryDirectory() as folder:
        run = str(Path(folder) / "demo")
        start = perf_counter()
        for words in (
            ["train", "translate", "--out", run, "--recipe", "recipes/demo.toml"],
            ["predict", run, "French: 1789", "--picture", f"{run}/pictures/looks.png"],
            ["predict", run, "Chinese: 4321"],
        ):
            subprocess.run([*elman, *words], cwd=ROOT, check=True)
        seconds = perf_counter() - start
        exact = read_json(Path(run) / "metrics.json")["valid"]["exact"]
    write_result("demo", {"seconds": seconds, "valid_exact": exact}, seconds)


if __name__ == "__main__":
    main()
