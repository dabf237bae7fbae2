"""A transcriber at work while one speaks: python benchmarks/real_time.py RUN TABLE

Reads the recordings of a table in pieces of 0.1 s, on one core and in one thread, and prints as JSON

    test_wer, test_cer    shares of words and characters that are wrong in what was written so
    real_time_factor      seconds of work for a second of sound, the median of recordings
    slowest               the same of the recording that took longest
    look_ahead            seconds from a sound to what is written of it, at most, the work aside

Work is the time of the processor: what else the machine does is not counted.
"""

import json
import os
import sys
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

import torch

import elman
from elman.data import MOMENT, Columns, read_transcripts
from elman.data.sound.mel import WINDOW
from elman.tasks import Model
from elman.tasks.transcribe.scores import error_rates

PIECE = 0.1


def measure(model: Model, table: Path) -> dict[str, Any]:
    """Every recording of a table, one after the other."""
    found, hearing = read_transcripts(table, Columns()), model.session()
    assert hasattr(hearing, "hear")
    written, factors = [], []
    for sound in [found.inputs[0], *found.inputs]:  # the first one twice: the first call of a process compiles
        start = process_time()
        for piece in sound.samples.split(round(PIECE * sound.rate)):
            hearing.hear(piece, sound.rate)
        written.append(hearing.finish().text)
        factors.append((process_time() - start) / sound.seconds)
    options, rates = model.task.options, error_rates(written[1:], found.answers)
    return {
        "test_wer": rates["wer"],
        "test_cer": rates["cer"],
        "real_time_factor": median(factors[1:]),
        "slowest": max(factors[1:]),
        "look_ahead": round((options.ahead + 1) * options.together * MOMENT + WINDOW - MOMENT, 3),
    }


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("expected a run folder and a table of recordings and texts")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    print(json.dumps(measure(elman.load(sys.argv[1]), Path(sys.argv[2]))))
