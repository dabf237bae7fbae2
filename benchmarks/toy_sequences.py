"""Rows of 20 letters, copied and turned round: share that is exactly right: python benchmarks/toy_sequences.py

Trains recipes/copy.toml and recipes/reverse.toml, and answers 2,000 rows that training has not seen, by greedy choice.
A row also has the share of steps at which the place looked at most is the one that is written.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from results import ROOT, write_result

import elman
from elman.data import read_json, toy_pairs

ROWS, LENGTH, SEED = 2000, 20, 1


def measure(way: Any, out: Path) -> dict[str, Any]:
    """Train and test."""
    model = elman.train("translate", recipe=ROOT / "recipes" / f"{way}.toml", out=out)
    sources, targets = zip(*toy_pairs(way, ROWS, SEED, length=LENGTH), strict=True)
    found = [answers[0] for answers in model.predict(sources, beam_size=1, n_best=1)]
    places = range(LENGTH) if way == "copy" else range(LENGTH - 1, -1, -1)
    looked = [
        place == expected
        for answer in found
        for place, expected in zip(answer.alignment.argmax(1).tolist(), places, strict=False)
    ]
    return {
        "way": way,
        "exact": sum(answer.text == target for answer, target in zip(found, targets, strict=True)) / ROWS,
        "looks where it should": sum(looked) / len(looked),
        "training seconds": read_json(out / "metrics.json")["seconds"],
    }


def main() -> None:
    """Measure both, and write."""
    begin = perf_counter()
    with TemporaryDirectory() as folder:
        rows = [measure(way, Path(folder) / way) for way in ("copy", "reverse")]
    metrics = {f"{row['way']}_exact": row["exact"] for row in rows}
    write_result("toy_sequences", metrics, perf_counter() - begin, rows)


if __name__ == "__main__":
    main()
