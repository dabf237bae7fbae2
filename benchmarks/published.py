"""Train a recipe on published data, and keep its scores: python benchmarks/published.py NAME [NOTE]

    tinyshakespeare    nats per character on the last tenth of tiny Shakespeare
    ptb_small          perplexity per word on the test part of the Penn Treebank

Needs ELMAN_DATA. A run that was stopped goes on; `seconds` are those of training. A note says what a
reader must know, such as what else the machine did meanwhile.
"""

import os
import sys
from pathlib import Path
from typing import Any

from results import ROOT, write_result

import elman
from elman.data import read_json
from elman.tasks import Model
from elman.training.logs import read_curve


def tinyshakespeare(model: Model, metrics: dict[str, Any]) -> dict[str, float]:
    """The validation loss; units are characters."""
    return {"valid_nats_per_char": metrics["valid"]["loss"]}


def ptb_small(model: Model, metrics: dict[str, Any]) -> dict[str, float]:
    """Every test word but the first is scored once, with all that came before it."""
    test = model.evaluate(Path(os.environ["ELMAN_DATA"]) / "ptb/ptb.test.txt.gz")
    return {"test_perplexity": test["perplexity"], "valid_perplexity": metrics["valid"]["perplexity"]}


SCORES = {"tinyshakespeare": tinyshakespeare, "ptb_small": ptb_small}


def validations(run: Path) -> list[dict[str, float]]:
    """Step and loss of every validation."""
    return [{"step": step + 1, "valid_loss": loss} for step, loss in read_curve(run / "logs", "valid_loss")]


def main(name: str, note: str = "") -> None:
    """Train, score, write."""
    run = ROOT / "runs" / name
    start = {"resume": True} if (run / "config.json").exists() else {"recipe": ROOT / "recipes" / f"{name}.toml"}
    model = elman.train("generate", out=run, **start)
    metrics = read_json(run / "metrics.json")
    write_result(name, SCORES[name](model, metrics), metrics["seconds"], validations(run), note)


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in SCORES:
        sys.exit(f"expected one of: {', '.join(SCORES)}")
    main(*sys.argv[1:3])
