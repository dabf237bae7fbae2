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
    values: dict[int, float] = {}
    for path in sorted(folder.glob("csv/version_*/metrics.csv"), key=lambda path: int(path.parent.name.split("_")[1])):
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                with suppress(TypeError, ValueError):  # a row that was cut off when its writer was killed
                    values |= {int(row["step"]): float(row[name])} if row.get(name) else {}
    return sorted(values.items())
