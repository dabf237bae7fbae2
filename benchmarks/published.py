"""Train a recipe on published data, and keep its scores: python benchmarks/published.py NAME [NOTE]

    tinyshakespeare    nats per character on the last tenth of tiny Shakespeare
    ptb_small          perplexity per word on the test part of the Penn Treebank
    multi30k_en_de     BLEU on test_2016_flickr, beam 5
    multi30k_en_fr     the same for French
    tatoeba_en_zh      BLEU and chrF on the test part, beside those of copying the nearest training pair
    camrest676         the same for answers in a dialogue
    reports            ROUGE of summaries of made-up reports, beside that of their first sentence; needs no data
    sst2, trec, movie_reviews, chnsenticorp, mnist_rows, mnist_pixels, indoor_movement, fsdd_digits
                       accuracy on the test part
    conll2003, msra_ner, wnut17, weibo_ner, propbank_ewt
                       F1 of stretches, beside that of a list of those in the training part
    fsdd_sequences     share of wrong words
    fsdd_streaming     the same while one speaks, and seconds of work for a second of sound
    minis              the same of 43 recordings that are learned by heart
    jsb_chorales       nats per chord
    mnist_generate     nats per image
    digit_scenes       mean overlap of pixel classes (IoU)
    moving_digits      squared error of the next ten frames, as a share of that of copying the last one; and how well
                       frames that nobody could expect are told from others
    tracking           mean overlap of boxes (IoU)
    digit_events       accuracy of what happens in videos
    etth1_96           squared error on the test part, all windows
    beijing_pm25       MASE and coverage in 2014, a day ahead at each midnight
    m4_hourly          OWA, sMAPE and MASE of the competition

Needs ELMAN_DATA. A run that was stopped goes on; `seconds` are those of training. A note says what a
reader must know, such as what else the machine did meanwhile.
"""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from results import ROOT, write_result

import elman
from elman.data import Nearest, brightness, read_json, read_pairs, read_videos, report_pairs
from elman.tasks import Model, bleu, chrf, rouge, tokenizer_for
from elman.training.logs import read_curve

TESTS = {
    "ptb_small": "ptb/ptb.test.txt.gz",
    "multi30k_en_de": "multi30k/test_2016_flickr",
    "multi30k_en_fr": "multi30k/test_2016_flickr",
    "tatoeba_en_zh": "tatoeba_en_zh/test.tsv.gz",
    "camrest676": "camrest676/test.json.gz",
    "sst2": "sst/stsa.binary.test.gz",
    "trec": "trec_qc/TREC.test.txt.gz",
    "movie_reviews": "movie_review_polarity2/test.tsv.gz",
    "chnsenticorp": "chnsenticorp_hotel/test.csv.gz",
    "mnist_rows": "mnist/test.npz",
    "mnist_pixels": "mnist/test.npz",
    "indoor_movement": "indoor_movement/test-0.csv",
    "fsdd_digits": "fsdd/test",
    "fsdd_sequences": "fsdd_sequences/test.csv",
    "fsdd_streaming": "fsdd_sequences/test.csv",
    "jsb_chorales": "jsb_chorales/test.json",
    "mnist_generate": "mnist_generate/test.npz",
    "conll2003": "conll2003_en/test.txt.gz",
    "msra_ner": "msra_ner/msra.test.conll.gz",
    "wnut17": "wnut17/wnut17.dev.conll.gz",
    "weibo_ner": "weibo_ner/weibo.dev.conll.gz",
    "propbank_ewt": "propbank_ewt/ewt.dev.srl.gz",
    "minis": "minis/train.csv",
    "digit_scenes": "digit_scenes/test.npz",
    "moving_digits": "moving_digits/test.npz",
    "tracking": "tracking/test.npz",
    "digit_events": "digit_events/test.npz",
    "etth1_96": "etth1/test.csv",
    "beijing_pm25": "beijing_pm25/test.parquet",
    "m4_hourly": "m4_hourly/test.parquet",
}
"""In ELMAN_DATA, or where `prepare.py` puts them."""

SEEDS = {"sst2": 3, "movie_reviews": 5}
"""So many trainings, whose mean is the result; one of the others."""

FOLDS = {"indoor_movement": 5}
"""The same, each with other parts of the data to train on and to test."""


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


def classes(model: Model, metrics: dict[str, Any], test: Path) -> dict[str, float]:
    """Accuracy, that of the commonest label, macro F1."""
    scores = model.evaluate(test)
    names = {"accuracy": "accuracy", "accuracy of the commonest label": "commonest_accuracy", "macro_f1": "macro_f1"}
    found = {f"test_{short}": scores[name] for name, short in names.items()}
    return found | {"valid_accuracy": metrics["valid"]["accuracy"]}


def tags(part: str) -> Callable[[Model, dict[str, Any], Path], dict[str, float]]:
    """F1, and that of the phrase book."""

    def measure(model: Model, metrics: dict[str, Any], test: Path) -> dict[str, float]:
        scores = model.evaluate(test)
        names = {"f1": "f1", "precision": "precision", "recall": "recall", "f1 of the phrase book": "phrase_book_f1"}
        return {f"{part}_{short}": scores[name] for name, short in names.items()} | {"valid_f1": metrics["valid"]["f1"]}

    return measure


def recognition(model: Model, metrics: dict[str, Any], test: Path) -> dict[str, float]:
    """Wrong words and characters, as shares of those that were said."""
    scores = model.evaluate(test)
    return {"test_wer": scores["wer"], "test_cer": scores["cer"], "valid_wer": metrics["valid"]["wer"]}


def by_heart(model: Model, metrics: dict[str, Any], test: Path) -> dict[str, float]:
    """Of the recordings that were learned."""
    scores = model.evaluate(test)
    return {"train_wer": scores["wer"], "train_cer": scores["cer"]}


def streaming(model: Model, metrics: dict[str, Any], test: Path) -> dict[str, float]:
    """Of what is written while it is heard, in a process of its own."""
    words = [sys.executable, "benchmarks/real_time.py", "runs/fsdd_streaming", str(test)]
    said = subprocess.run(words, stdout=subprocess.PIPE, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"}).stdout
    whole = {f"whole_{name}": value for name, value in model.evaluate(test).items() if name != "loss"}
    return json.loads(said) | whole | {"valid_wer": metrics["valid"]["wer"]}


def likelihood(score: str) -> Callable[[Model, dict[str, Any], Path], dict[str, float]]:
    """Nats of the test part."""

    def measure(model: Model, metrics: dict[str, Any], test: Path) -> dict[str, float]:
        return {"test_nll": model.evaluate(test)[score], "valid_nll": metrics["valid"][score]}

    return measure


def overlaps(model: Model, metrics: dict[str, Any], test: Path) -> dict[str, float]:
    """Of pixels that are and those that are taken for one class, the mean over classes."""
    scores = model.evaluate(test)
    return {"test_miou": scores["miou"], "test_accuracy": scores["accuracy"], "valid_miou": metrics["valid"]["miou"]}


def next_frames(model: Model, metrics: dict[str, Any], test: Path) -> dict[str, float]:
    """Beside copying the last frame also an empty one; and events, whose frames have large errors."""
    scores, events = model.evaluate(test), model.evaluate(test.with_name("events.npz"))
    options = model.task.options
    came = read_videos(test).frames
    light = [brightness(one[options.given : options.given + options.ahead]).square().mean() for one in came]
    return {
        "mse_ratio": scores["mse_ratio"],
        "test_mse": scores["mse"],
        "copy_mse": scores["mse of copying the last frame"],
        "black_mse": float(sum(light)) / len(light),
        "valid_mse_ratio": metrics["valid"]["mse_ratio"],
        "events_auroc": events["auroc"],
        "events_found": events["share of unusual frames found"],
        "false_alarms": events["share of false alarms"],
    }


def followed(model: Model, metrics: dict[str, Any], test: Path) -> dict[str, float]:
    """Mean overlap of boxes, and that of a box that is always the usual one."""
    scores = model.evaluate(test)
    names = {"iou": "iou", "iou of the usual box": "usual_iou", "share of frames above one half": "above_half"}
    return {f"test_{short}": scores[name] for name, short in names.items()} | {"valid_iou": metrics["valid"]["iou"]}


def squared_errors(model: Model, metrics: dict[str, Any], test: Path) -> dict[str, float]:
    """Of windows that begin at every hour."""
    scores = model.evaluate(test, stride=1)
    return {"test_mse": scores["mse"], "test_mae": scores["mae"], "seasonal_naive_mse": scores["mse of seasonal naive"]}


def with_intervals(model: Model, metrics: dict[str, Any], test: Path) -> dict[str, float]:
    """MASE, that of the seasonal naive forecast, and how much came to lie in intervals."""
    scores = model.evaluate(test)
    names = {"mase": "mase", "mase of seasonal naive": "seasonal_naive_mase", "mae": "mae"}
    names |= {f"coverage of {share}%": f"coverage_{share}" for share in (80, 95)}
    return {short: scores[name] for name, short in names.items()}


def competition(model: Model, metrics: dict[str, Any], test: Path) -> dict[str, float]:
    """The scores of the M4 competition."""
    scores = model.evaluate(test)
    return {name: scores[name] for name in ("owa", "smape", "mase")} | {
        "seasonal_naive_owa": scores["owa of seasonal naive"]
    }


SCORES = {
    "tinyshakespeare": tinyshakespeare,
    "ptb_small": ptb_small,
    "multi30k_en_de": translation,
    "multi30k_en_fr": translation,
    "tatoeba_en_zh": translation,
    "camrest676": translation,
    "reports": summaries,
    **dict.fromkeys(
        (
            "sst2",
            "trec",
            "movie_reviews",
            "chnsenticorp",
            "mnist_rows",
            "mnist_pixels",
            "indoor_movement",
            "fsdd_digits",
            "digit_events",
        ),
        classes,
    ),
    **dict.fromkeys(("conll2003", "msra_ner"), tags("test")),
    **dict.fromkeys(("wnut17", "weibo_ner", "propbank_ewt"), tags("dev")),
    "fsdd_sequences": recognition,
    "fsdd_streaming": streaming,
    "minis": by_heart,
    "jsb_chorales": likelihood("loss"),
    "mnist_generate": likelihood("nats_per_image"),
    "digit_scenes": overlaps,
    "moving_digits": next_frames,
    "tracking": followed,
    "etth1_96": squared_errors,
    "beijing_pm25": with_intervals,
    "m4_hourly": competition,
}


def validations(run: Path) -> list[dict[str, float]]:
    """Step and loss of every validation."""
    return [{"step": step + 1, "valid_loss": loss} for step, loss in read_curve(run / "logs", "valid_loss")]


def trained(name: str, seed: int) -> tuple[Path, dict[str, float]]:
    """A run of a recipe, gone on with if it was stopped; and its scores, with the seconds of training.

    Args:
        name: The recipe's.
        seed: Of its randomness; or of `FOLDS` the number.
    """
    run, recipe = ROOT / "runs" / (f"{name}-{seed}" if seed else name), ROOT / "recipes" / f"{name}.toml"
    values, place = tomllib.loads(recipe.read_text()), TESTS.get(name, "")
    changes: dict[str, Any] = {"seed": seed} if seed else {}
    if name in FOLDS:
        changes, place = {"train": Path(values["train"].replace("-0.", f"-{seed}."))}, place.replace("-0.", f"-{seed}.")
    start = {"resume": True} if (run / "config.json").exists() else {"recipe": recipe, **changes}
    model = elman.train(values["task"], out=run, **start)
    metrics = read_json(run / "metrics.json")
    prepared = ROOT / "runs" / "data" / place
    test = prepared if place and prepared.exists() else Path(os.environ.get("ELMAN_DATA", "")) / place
    scores = SCORES[name](model, metrics, test)
    return run, scores | {"seconds": metrics["seconds"]}


def main(name: str, note: str = "") -> None:
    """Train, score, write."""
    os.chdir(ROOT)
    runs = [trained(name, seed) for seed in range(FOLDS.get(name, SEEDS.get(name, 1)))]
    mean = {key: sum(scores[key] for _, scores in runs) / len(runs) for key in runs[0][1]}
    part = "fold" if name in FOLDS else "seed"
    rows = validations(runs[0][0]) if len(runs) == 1 else [{part: n, **scores} for n, (_, scores) in enumerate(runs)]
    write_result(name, mean, mean.pop("seconds"), rows, note)


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in SCORES:
        sys.exit(f"expected one of: {', '.join(SCORES)}")
    main(*sys.argv[1:3])
