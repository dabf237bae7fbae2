"""The logs of a run: CSV and TensorBoard, and reading them back."""

import csv
from contextlib import suppress
from pathlib import Path

from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger


def make_loggers(folder: Path) -> list[Logger]:
    """CSV and TensorBoard logs under `folder`; every start of a run writes a version of its own."""
    return [CSVLogger(folder, name="csv"), TensorBoardLogger(folder, name="tensorboard")]


def read_curve(folder: Path, name: str) -> list[tuple[int, float]]:
    """(step, value) from the CSV logs; where a resumed run went over steps again, its values count."""
    return read_curves(folder).get(name, [])


def read_curves(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """The same of everything that was logged, by name."""
    found: dict[str, dict[int, float]] = {}
    for path in sorted(folder.glob("csv/version_*/metrics.csv"), key=lambda path: int(path.parent.name.split("_")[1])):
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                for name in row.keys() - {"epoch", "step", None}:
                    with suppress(TypeError, ValueError):  # a row that was cut off when its writer was killed
                        found.setdefault(name, {}).update({int(row["step"]): float(row[name])} if row[name] else {})
    return {name: sorted(values.items()) for name, values in found.items()}
