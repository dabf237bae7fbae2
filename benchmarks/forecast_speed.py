"""Training a forecaster against NeuralForecast's LSTM: python benchmarks/forecast_speed.py

NEURALFORECAST_PYTHON names the interpreter of the environment that `forecast_peer.py` describes. Both read windows of
192 hours of the series of M4 Hourly with an LSTM of 2 layers of 128, forecast 48 hours by one value for each, learn by
the absolute error, 256 windows a step. They train in turn, TURNS times SECONDS each, as their own commands do it. Needs
runs/data/m4_hourly (`prepare.py m4_hourly`).
"""

import os
import sys
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import polars
from results import ROOT, write_result
from turns import Peer, Turns, ours, peer_steps

TURNS, SECONDS, WARM_UP = 5, 20, 20
DATA = ROOT / "runs/data/m4_hourly/train.parquet"
PEER = {"layers": 2, "hidden": 128, "input": 192, "horizon": 48, "windows": 256}
OURS: dict[str, Any] = {
    "num_layers": 2,
    "hidden_size": 128,
    "embedding_size": 32,
    "context": 192,
    "horizon": 48,
    "batch_size": 256,
    "season": 24,
    "head": "mae",
    "calendar": False,
    "epochs": 1000,
    "validate_every": 1000,
    "checkpoint_minutes": 1000,
}


def main(python: str) -> None:
    """Measure and write."""
    begin = perf_counter()
    rates: dict[str, list[float]] = {"elman": [], "neuralforecast": []}
    with TemporaryDirectory() as name:
        polars.read_parquet(DATA).write_csv(Path(name) / "train.csv")
        peer = Peer(python, "forecast_peer.py", PEER | {"data": f"{name}/train.csv"})
        with ours("forecast", Turns(), train=DATA, out=Path(name) / "run", **OURS) as turns:
            runners = dict(zip(rates, (turns.train, partial(peer_steps, peer)), strict=True))
            for train in runners.values():
                train(WARM_UP)
            for _ in range(TURNS):
                for runner, train in runners.items():
                    rates[runner].append(train(SECONDS))
    seconds = {f"{runner} seconds": 1 / median(found) for runner, found in rates.items()}
    metrics = {"vs_neuralforecast": seconds["neuralforecast seconds"] / seconds["elman seconds"]}
    write_result("forecast_speed", metrics, perf_counter() - begin, [seconds])


if __name__ == "__main__":
    if "NEURALFORECAST_PYTHON" not in os.environ:
        sys.exit(__doc__)
    main(os.environ["NEURALFORECAST_PYTHON"])
