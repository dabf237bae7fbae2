"""Are tunes that a network writes tunes? python benchmarks/nottingham.py [NOTE]

Trains recipes/nottingham.toml, or goes on with it; writes 200 tunes, each from an empty line and "X:" to the next one
that is empty; counts those that music21 reads as ABC and finds notes in. Beside it the same for the tunes of the test
part, which people wrote, and for 200 texts in which each character is drawn by how often it comes. Needs ELMAN_DATA
and the extra `peers`.
"""

import os
import sys
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random

from music21 import converter
from music21.exceptions21 import Music21Exception
from results import ROOT, write_result

import elman
from elman.data import read_json, read_text

TUNES = 200
BEGINNING = "\n\nX: "
WRITING = {"length": 2000, "stop": "\n\n", "temperature": 0.7}
"""One that does not end by then counts as it stands."""


def share_read(tunes: Sequence[str]) -> float:
    """Of tunes that are read, with notes in them."""
    return sum(map(is_tune, tunes)) / len(tunes)


def is_tune(text: str) -> bool:
    """Does music21 read it, and find notes?"""
    if not text.startswith("X:") or "K:" not in text:
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return any(True for _ in converter.parseData(text, format="abc").recurse().notes)
    except (Music21Exception, ValueError, IndexError, KeyError, AttributeError, TypeError, ZeroDivisionError):
        return False


def drawn(text: str, length: int, seed: int) -> str:
    """Characters by chance, as often as they come in a text."""
    counts = Counter(text)
    return "X: 1\nK:G\n" + "".join(Random(seed).choices(list(counts), list(counts.values()), k=length))


def main(note: str = "") -> None:
    """Train, write, count."""
    os.chdir(ROOT)
    run, data = ROOT / "runs" / "nottingham", Path(os.environ["ELMAN_DATA"]) / "nottingham_abc"
    known = (run / "config.json").exists()
    model = elman.train("generate", out=run, **({"resume": True} if known else {"recipe": "recipes/nottingham.toml"}))
    metrics = read_json(run / "metrics.json")
    tunes = [BEGINNING.strip() + " " + model.predict(BEGINNING, seed=seed, **WRITING)[0] for seed in range(TUNES)]
    written = [tune for tune in read_text(data / "test.abc.gz").split("\n\n") if tune.strip()]
    train = read_text(data / "train.abc.gz")
    scores = {
        "valid_share": share_read(tunes),
        "test_tunes_share": share_read([tune.strip() + "\n" for tune in written]),
        "drawn_share": share_read([drawn(train, 400, seed) for seed in range(TUNES)]),
        "copied_share": sum(body(tune) in train for tune in tunes) / TUNES,
        "test_nats_per_character": model.evaluate(data / "test.abc.gz")["nats_per_character"],
    }
    write_result("nottingham", scores, metrics["seconds"], [{"tune": tune} for tune in tunes[:3]], note)


def body(tune: str) -> str:
    """The notes, behind the key."""
    return tune.partition("\nK:")[2].partition("\n")[2].strip() or tune


if __name__ == "__main__":
    main(*sys.argv[1:2])
