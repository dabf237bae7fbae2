"""Train a recipe on published data, and keep its scores: python benchmarks/published.py NAME [NOTE]

    tinyshakespeare    nats per character on the last tenth of tiny Shakespeare
    ptb_small          perplexity per word on the test part of the Penn Treebank
    multi30k_en_de     BLEU on test_2016_flickr, beam 5
    multi30k_en_fr     the same for French
    tatoeba_en_zh      BLEU and chrF on the test part, beside those of copying the nearest training pair
    camrest676         the same for answers in a dialogue
    reports            ROUGE of summaries of made-up reports, beside that of their first sentence; needs no data

Needs ELMAN_DATA. A run that was stopped goes on; `seconds` are those of training. A note says what a
reader must know, such as what else the machine did meanwhile.
"""

import os
import sys
import tomllib
from pathlib import Path
from typing import Any

from results import ROOT, write_result

import elman
from elman.data import Nearest, read_json, read_pairs, report_pairs
from elman.tasks import Model, bleu, chrf, rouge, tokenizer_for
from elman.training.logs import read_curve

TESTS = {
    "ptb_small": "ptb/ptb.test.txt.gz",
    "multi30k_en_de": "multi30k/test_2016_flickr",
    "multi30k_en_fr": "multi30k/test_2016_flickr",
    "tatoeba_en_zh": "tatoeba_en_zh/test.tsv.gz",
    "camrest676": "camrest676/test.json.gz",
}


def tinyshakespeare(model: Model, metrics: dict[str, Any], test: Path) -> dict[str, float]:
    """The validation loss; units are characters."""
    return {"valid_nats_per_char": metrics["valid"]["loss"]}


def ptb_small(model: Model, metrics: dict[str, Any], test: Path) -> dict[str, float]:
    """Every test word but the first is scored once, with all that came before it."""
    return {
        "test_perplexity": model.evaluate(test)["perplexity"],
        "valid_perplexity": metrics["valid"]["perplexity"],
    }


def translation(model: Model, metrics: dict[str, Any], test: Path) -> dict[str, float]:
    """Scores of a beam of 5, and of the target of the training pair whose source is nearest."""
    scores = model.judge(test).scores()
    options, data = model.task.options, model.config["data"]
    train, tests = (
        read_pairs(Path(os.path.expandvars(str(path))), options.source, options.target, history=options.history)
        for path in (data["train"], test)
    )
    nearest = Nearest(train.sources)
    copies = [train.targets[nearest.find(source)] for source in tests.sources]
    return {
        "test_bleu": scores["bleu"],
        "test_chrf": scores["chrf"],
        "nearest_bleu": bleu(copies, tests.targets, tokenizer_for(tests.targets)).value,
        "nearest_chrf": chrf(copies, tests.targets).value,
        "valid_bleu_greedy": metrics["valid"]["bleu"],
    }


def summaries(model: Model, metrics: dict[str, Any], test: Path) -> dict[str, float]:
    """Reports of another seed, and their first sentences for summaries."""
    known = set(dict(report_pairs()))
    sources, targets = zip(*(pair for pair in report_pairs(1000, seed=1) if pair[0] not in known), strict=True)
    ours, first = rouge(model.predict(sources), targets), rouge([s.partition(". ")[0] for s in sources], targets)
    return {f"test_{name}": value for name, value in ours.items()} | {f"lead1_{n}": value for n, value in first.items()}


SCORES = {
    "tinyshakespeare": tinyshakespeare,
    "ptb_small": ptb_small,
    "multi30k_en_de": translation,
    "multi30k_en_fr": translation,
    "tatoeba_en_zh": translation,
    "camrest676": translation,
    "reports": summaries,
}


def validations(run: Path) -> list[dict[str, float]]:
    """Step and loss of every validation."""
    return [{"step": step + 1, "valid_loss": loss} for step, loss in read_curve(run / "logs", "valid_loss")]


def main(name: str, note: str = "") -> None:
    """Train, score, write."""
    run, recipe = ROOT / "runs" / name, ROOT / "recipes" / f"{name}.toml"
    start = {"resume": True} if (run / "config.json").exists() else {"recipe": recipe}
    model = elman.train(tomllib.loads(recipe.read_text())["task"], out=run, **start)
    metrics = read_json(run / "metrics.json")
    test = Path(os.environ.get("ELMAN_DATA", "")) / TESTS.get(name, "")
    write_result(name, SCORES[name](model, metrics, test), metrics["seconds"], validations(run), note)


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in SCORES:
        sys.exit(f"expected one of: {', '.join(SCORES)}")
    main(*sys.argv[1:3])
