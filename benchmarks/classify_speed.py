"""Training a text classifier against Keras 3 on JAX, and against torch.nn: python benchmarks/classify_speed.py

KERAS_PYTHON names the interpreter of the environment that `classify_peer.py` describes. All have the same network:
vectors of words, a bidirectional LSTM, the largest value of each feature over all steps, a linear layer; Adam; rows of
100 words. They train in turn, TURNS times SECONDS each: Elman as `elman train classify` runs it, Keras by `fit`,
torch.nn in a loop with nothing around it, the last two in processes of their own.
"""

import os
import sys
from functools import partial
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from results import write_result
from turns import Peer, Turns, ours, peer_steps

TURNS, SECONDS, WARM_UP = 5, 10, 10
VOCABULARY, WIDTH, STEPS = 5000, 128, 100
SHAPES = [{"batch": 32, "hidden": 128}, {"batch": 64, "hidden": 256}]


def write_texts(path: Path) -> None:
    """Rows of words drawn by chance, with labels that mean nothing."""
    random = Random(0)
    rows = (" ".join(f"w{random.randrange(VOCABULARY)}" for _ in range(STEPS)) for _ in range(2000))
    path.write_text("".join(f"{random.randrange(2)} {row}\n" for row in rows))


def measure(python: str, batch: int, hidden: int) -> dict[str, Any]:
    """Median steps a second of all three."""
    settings = {"vocabulary": VOCABULARY, "width": WIDTH, "hidden": hidden, "batch": batch, "steps": STEPS}
    keras, plain = Peer(python, "classify_peer.py", settings), Peer(sys.executable, "classify_torch.py", settings)
    rates: dict[str, list[float]] = {"elman": [], "keras": [], "torch.nn": []}
    with TemporaryDirectory() as name:
        write_texts(Path(name) / "train.txt")
        shape = {"units": "word", "embedding_size": WIDTH, "hidden_size": hidden, "batch_size": batch}
        rest = {"pooling": "max", "clip_norm": 0.0, "optimiser": "adam", "epochs": 10_000, "validate_every": 10_000}
        given = {"train": Path(name) / "train.txt", "out": Path(name) / "run", "checkpoint_minutes": 1000}
        with ours("classify", Turns(), **given, **shape, **rest) as turns:
            runners = (turns.train, partial(peer_steps, keras), partial(peer_steps, plain))
            named = dict(zip(rates, runners, strict=True))
            for train in named.values():
                train(WARM_UP)
            for _ in range(TURNS):
                for runner, train in named.items():
                    rates[runner].append(train(SECONDS))
    row = {"batch": batch, "hidden": hidden} | {f"{name} ms": 1000 / median(found) for name, found in rates.items()}
    print(row, flush=True)
    return row


def main(python: str) -> None:
    """Measure and write."""
    begin = perf_counter()
    rows = [measure(python, **shape) for shape in SHAPES]
    metrics = {"vs_keras": min(row["keras ms"] / row["elman ms"] for row in rows)}
    metrics["vs_torch"] = min(row["torch.nn ms"] / row["elman ms"] for row in rows)
    write_result("classify_speed", metrics, perf_counter() - begin, rows)


if __name__ == "__main__":
    if "KERAS_PYTHON" not in os.environ:
        sys.exit(__doc__)
    main(os.environ["KERAS_PYTHON"])
