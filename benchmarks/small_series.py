"""Classic series, one model each: is it better than the seasonal naive forecast, and do its intervals hold?

    python benchmarks/small_series.py            all of them
    python benchmarks/small_series.py taylor     some anew, the rows of the others are kept

The last fifth of each series is the test: horizon after horizon, each forecast from all that came before it. A row has
MASE beside that of the seasonal naive forecast, or of the last value where there is no season, and how much of the test
lies in intervals of 80% and 95%. Needs ELMAN_DATA; runs are kept in runs/small_series.
"""

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import polars
from results import ROOT, measured, write_result

import elman


@dataclass(frozen=True)
class Classic:
    """A series in a file, and what a person would say about it."""

    file: str
    target: str
    time: str | None
    horizon: int
    settings: dict[str, Any] = field(default_factory=dict)


A_YEAR = {"validation_windows": 1, "stride": 12}
"""All that a series of ten years can spare."""

SERIES = {
    "air_passengers": Classic(
        "AirPassengers", "#Passengers", "Month", 12, {"transform": "log", "scaling": "last", "context": 24, **A_YEAR}
    ),
    "births": Classic("daily-total-female-births", "Births", "Date", 7),
    "gasrate_co2": Classic("gasrate_co2", "CO2%", None, 6, {"past": "GasRate(ft3/min)"}),
    "heart_rate": Classic("heart_rate", "Heart rate", None, 10),
    "ice_cream": Classic("ice_cream_heater", "ice cream", "Month", 12),
    "ili": Classic("ILINet", "% WEIGHTED ILI", "DATE", 4, {"transform": "log1p"}),
    "min_temperatures": Classic("daily-min-temperatures", "Temp", "Date", 7),
    "shampoo": Classic("shampoo", "Sales", None, 3, {"season": 12, "context": 6, "scaling": "last"}),
    "sunspots": Classic("monthly-sunspots", "Sunspots", "Month", 12),
    "taxi": Classic("taxi_new_york_passengers", "#Passengers", "time", 48),
    "taylor": Classic("taylor", "Y", None, 48, {"season": 48}),
}

COMMON: dict[str, Any] = {
    "cell": "gru",
    "hidden_size": 32,
    "embedding_size": 16,
    "output_dropout": 0.2,
    "batch_size": 32,
    "learning_rate": 0.003,
    "schedule": "cosine",
    "stride": 1,
}

STEPS = 1200
"""Steps of each training, about."""


def measure(name: str) -> dict[str, Any]:
    """Split, train, judge."""
    classic = SERIES[name]
    table = polars.read_csv(Path(os.environ["ELMAN_DATA"]) / "small_series" / f"{classic.file}.csv")
    folder, run = ROOT / "runs" / "data" / "small_series", ROOT / "runs" / "small_series" / name
    folder.mkdir(parents=True, exist_ok=True)
    parts = {"train": table[: len(table) * 4 // 5], "test": table[len(table) * 4 // 5 :]}
    for part, rows in parts.items():
        rows.write_csv(folder / f"{name}.{part}.csv")
    shutil.rmtree(run, ignore_errors=True)
    epochs = max(4, min(400, STEPS * COMMON["batch_size"] // len(parts["train"])))
    held = max(2, len(parts["train"]) // 6 // classic.horizon)
    settings = (
        COMMON
        | {"validation_windows": held, "horizon": classic.horizon, "target": classic.target, "time": classic.time}
        | classic.settings
    )
    train = folder / f"{name}.train.csv"
    model = elman.train("forecast", train=train, out=run, epochs=epochs, **settings)
    scores = model.evaluate(folder / f"{name}.test.csv", stride=classic.horizon)
    rival = "mase of seasonal naive" if "mase of seasonal naive" in scores else "mase of naive"
    row = {"series": name, "mase": scores["mase"], "rival": rival, "mase of rival": scores[rival]}
    row |= {key: value for key, value in scores.items() if key.startswith("coverage")}
    print(row, flush=True)
    return row


def main() -> None:
    """Measure, keep what is not measured anew, write."""
    begin = perf_counter()
    rows = measured("small_series", "series", SERIES, measure)
    metrics = {"better_than_seasonal_naive": sum(row["mase"] < row["mase of rival"] for row in rows) / len(rows)}
    for share in (80, 95):
        off = [abs(row[f"coverage of {share}%"] - share / 100) for row in rows]
        metrics[f"within_5_points_{share}"] = sum(one <= 0.05 for one in off) / len(rows)
        metrics[f"mean_coverage_{share}"] = sum(row[f"coverage of {share}%"] for row in rows) / len(rows)
    write_result("small_series", metrics, perf_counter() - begin, rows)


if __name__ == "__main__":
    main()
