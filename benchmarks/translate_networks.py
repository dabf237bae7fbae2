"""What attention is worth, and where it should stand; and a Transformer of the same size: one recipe, several networks.

    python benchmarks/translate_networks.py            trains each for EPOCHS epochs of recipes/multi30k_en_de.toml
    python benchmarks/translate_networks.py between    trains some anew, and keeps the rows of the others

A row has parameters, training seconds, BLEU on test_2016_flickr with a beam of 5, and what one sentence at a time
costs: milliseconds for each unit that is written, and the bytes that must be remembered after 10 and after 100 of them.
BLEU by the length of the source is drawn to docs/pictures/bleu_by_length.png. Needs ELMAN_DATA; runs are kept in
runs/networks.
"""

import os
from dataclasses import fields, is_dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import torch
from results import ROOT, measured, write_result
from torch import Tensor

import elman
from elman.data import read_json
from elman.layers import Step
from elman.pictures import draw_by_length
from elman.tasks import Model, by_length

EPOCHS = 5
ONE = {"decoder_layers": 1}
NETWORKS: dict[str, dict[str, Any]] = {
    "no attention": {"attention": "none", "attend": "after", "hidden_size": 384} | ONE,
    "after": {"attend": "after", "hidden_size": 336} | ONE,
    "between": {"attend": "between", "hidden_size": 256},
    "inside": {"attend": "inside", "hidden_size": 288} | ONE,
    "feeding": {"attend": "feeding", "hidden_size": 304} | ONE,
    "transformer": {
        "network": "transformer",
        "attend": "after",
        "hidden_size": 512,
        "num_layers": 2,
        "heads": 4,
        "learning_rate": 0.001,
    },
}
"""What differs from the recipe; sizes so that all have about as many parameters."""


def measure(name: str) -> dict[str, Any]:
    """Train, translate, time."""
    run = ROOT / "runs" / "networks" / name.replace(" ", "_")
    recipe = ROOT / "recipes" / "multi30k_en_de.toml"
    start: dict[str, Any] = {"resume": True}
    if not (run / "config.json").exists():
        start = {"recipe": recipe, "epochs": EPOCHS, **NETWORKS[name]}
    model = elman.train("translate", out=run, **start)
    metrics = read_json(run / "metrics.json")
    judge = model.judge(Path(os.environ["ELMAN_DATA"]) / "multi30k/test_2016_flickr")
    pairs = judge.ordered()
    lengths = [len(model.task.source.encode(pair.source)) for pair in pairs]
    row = {
        "network": name,
        "parameters": sum(parameter.numel() for parameter in model.network.parameters()),
        "training seconds": metrics["seconds"],
        "test_bleu": judge.scores()["bleu"],
        **costs(model, [pair.source for pair in pairs[:50]]),
        "by length": by_length(lengths, judge.written(), [pair.reference for pair in pairs]),
    }
    print({key: value for key, value in row.items() if key != "by length"}, flush=True)
    return row


@torch.inference_mode()
def costs(model: Model, texts: list[str]) -> dict[str, float]:
    """Time and memory of one sentence at a time, by greedy choice."""
    times = []
    for text in texts:
        start = perf_counter()
        (answers,) = model.predict([text], beam_size=1, n_best=1)
        times.append((perf_counter() - start) / (len(answers[0].units) + 1))
    sizes, source = {}, model.task.source.encode(texts[0]).unsqueeze(1)
    position = model.network.start(source, torch.tensor([len(source)]))
    for step in range(1, 101):
        _, _, position = model.network.write(torch.tensor([5]), position)
        sizes[step] = remembered(position)
    return {"ms a unit": 1000 * median(times), "bytes after 10": sizes[10], "bytes after 100": sizes[100]}


def remembered(value: Any) -> int:
    """Bytes of all tensors in a decoder's position, those of its memory of the source included."""
    if isinstance(value, Tensor):
        return value.numel() * value.element_size()
    if isinstance(value, tuple | list):
        return sum(map(remembered, value))
    if is_dataclass(value) and not isinstance(value, Step):
        return sum(remembered(getattr(value, field.name)) for field in fields(value))
    return 0


def main() -> None:
    """Measure, keep what is not measured anew, draw, write."""
    begin = perf_counter()
    rows = measured("translate_networks", "network", NETWORKS, measure)
    drawn = {row["network"]: row["by length"] for row in rows if row["network"] in ("no attention", "after", "between")}
    draw_by_length(ROOT / "docs" / "pictures" / "bleu_by_length.png", drawn, "BLEU, Multi30k English-German")
    metrics = {f"{row['network'].replace(' ', '_')}_bleu": round(row["test_bleu"], 2) for row in rows}
    write_result("translate_networks", metrics, perf_counter() - begin, rows)


if __name__ == "__main__":
    main()
