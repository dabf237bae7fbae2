"""How long `make demo` takes once everything is installed, from an empty run folder."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from results import ROOT, write_result

from elman.data import read_json


def main() -> None:
    """Run the demo's two commands as they stand in the Makefile."""
    elman = [sys.executable, "-m", "elman"]
    with TemporaryDirectory() as folder:
        run = str(Path(folder) / "demo")
        start = perf_counter()
        subprocess.run(
            [*elman, "train", "generate", "--out", run, "--recipe", "recipes/demo.toml"], cwd=ROOT, check=True
        )
        subprocess.run(
            [*elman, "predict", run, "A function ", "--length", "300", "--temperature", "0.5"], cwd=ROOT, check=True
        )
        seconds = perf_counter() - start
        loss = read_json(Path(run) / "metrics.json")["valid"]["loss"]
    write_result("demo", {"seconds": seconds, "valid_nats_per_char": loss}, seconds)


if __name__ == "__main__":
    main()
