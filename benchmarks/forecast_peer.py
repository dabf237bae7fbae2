"""NeuralForecast's LSTM behind standard input and output, so that it can be measured in turn with another program.

    peers/nf/bin/python benchmarks/forecast_peer.py '{"data": "train.csv", "layers": 2, "hidden": 128, "input": 192,
        "horizon": 48, "windows": 256}'

The file has the columns unique_id, ds (a number) and y. {"do": "train", "seconds": 20} is answered by
{"steps": 27, "seconds": 20.3}: its own `fit` runs, and waits between two steps until it is asked to go on.

    python3.11 -m venv peers/nf
    peers/nf/bin/pip install torch==2.13.0 neuralforecast==3.3.0
"""

import json
import os
import sys
from time import perf_counter
from typing import Any

import pandas
from neuralforecast import NeuralForecast
from neuralforecast.losses.pytorch import MAE
from neuralforecast.models import LSTM
from pytorch_lightning import Callback

SEED = 1


ANSWERS = os.fdopen(os.dup(1), "w", encoding="utf-8")


class Turns(Callback):
    """Answers commands between two steps."""

    def __init__(self) -> None:
        self.start, self.steps, self.seconds = 0.0, 0, 0.0

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        if self.seconds and perf_counter() - self.start < self.seconds:
            self.steps += 1
            return
        if self.seconds:
            found = {"steps": self.steps, "seconds": perf_counter() - self.start}
            print(json.dumps(found), file=ANSWERS, flush=True)
        command = json.loads(sys.stdin.readline() or '{"do": "quit"}')
        if command["do"] == "quit":
            os._exit(0)
        self.start, self.steps, self.seconds = perf_counter(), 1, command["seconds"]


def main() -> None:
    """Train until told to stop."""
    os.dup2(2, 1)  # whatever a library prints is no answer
    settings = json.loads(sys.argv[1])
    model = LSTM(
        h=settings["horizon"],
        input_size=settings["input"],
        encoder_n_layers=settings["layers"],
        encoder_hidden_size=settings["hidden"],
        decoder_hidden_size=settings["hidden"],
        windows_batch_size=settings["windows"],
        loss=MAE(),
        max_steps=1_000_000,
        val_check_steps=1_000_000,
        random_seed=SEED,
        callbacks=[Turns()],
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
    )
    NeuralForecast([model], freq=1).fit(pandas.read_csv(settings["data"]))


if __name__ == "__main__":
    main()
