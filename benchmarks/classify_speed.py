"""Training a text classifier against Keras 3 on JAX, and against torch.nn: python benchmarks/classify_speed.py

KERAS_PYTHON names the interpreter of the environment that `classify_peer.py` describes. All have the same network:
vectors of words, a bidirectional LSTM, the largest value of each feature over all steps, a linear layer; Adam; rows of
100 words. They train in turn, TURNS times SECONDS each: Elman as `elman train classify` runs it, Keras by `fit`, in a
loop of its own with nothing around it torch.nn.
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

import torch
from results import write_result
from torch import Tensor, nn
from torch.nn import functional as F
from turns import Peer, Turns, ours, peer_steps

TURNS, SECONDS, WARM_UP = 5, 10, 10
VOCABULARY, WIDTH, STEPS = 5000, 128, 100
SHAPES = [{"batch": 32, "hidden": 128}, {"batch": 64, "hidden": 256}]


class Plain(nn.Module):
    """The same network of torch's own layers."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, WIDTH)
        self.body = nn.LSTM(WIDTH, hidden, bidirectional=True)
        self.output = nn.Linear(2 * hidden, 2)

    def forward(self, words: Tensor) -> Tensor:
        """(T, B) -> (B, 2)."""
        return self.output(self.body(self.embedding(words))[0].amax(0))


def plain_loop(network: Plain, optimiser: torch.optim.Optimizer, batch: int, seconds: float) -> float:
    """Steps a second."""
    words, labels = torch.randint(VOCABULARY, (STEPS, batch)), torch.randint(2, (batch,))
    start, steps = perf_counter(), 0
    while perf_counter() - start < seconds:
        optimiser.zero_grad()
        F.cross_entropy(network(words), labels).backward()
        optimiser.step()
        steps += 1
    return steps / (perf_counter() - start)


def write_texts(path: Path) -> None:
    """Rows of words drawn by chance, with labels that mean nothing."""
    random = Random(0)
    rows = (" ".join(f"w{random.randrange(VOCABULARY)}" for _ in range(STEPS)) for _ in range(2000))
    path.write_text("".join(f"{random.randrange(2)} {row}\n" for row in rows))


def measure(python: str, batch: int, hidden: int) -> dict[str, Any]:
    """Median steps a second of all three."""
    settings = {"vocabulary": VOCABULARY, "width": WIDTH, "hidden": hidden, "batch": batch, "steps": STEPS}
    peer, network = Peer(python, "classify_peer.py", settings), Plain(hidden)
    optimiser = torch.optim.Adam(network.parameters(), 0.001)
    rates: dict[str, list[float]] = {"elman": [], "keras": [], "torch.nn": []}
    with TemporaryDirectory() as name:
        write_texts(Path(name) / "train.txt")
        shape = {"units": "word", "embedding_size": WIDTH, "hidden_size": hidden, "batch_size": batch}
        rest = {"pooling": "max", "clip_norm": 0.0, "optimiser": "adam", "epochs": 10_000, "validate_every": 10_000}
        given = {"train": Path(name) / "train.txt", "out": Path(name) / "run", "checkpoint_minutes": 1000}
        with ours("classify", Turns(), **given, **shape, **rest) as turns:
            runners = (turns.train, partial(peer_steps, peer), partial(plain_loop, network, optimiser, batch))
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
