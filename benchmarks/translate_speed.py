"""Training and beam search against JoeyNMT, in turn in one run: python benchmarks/translate_speed.py

JOEYNMT_PYTHON names the interpreter of the environment that `translate_peer.py` describes. Both learn Multi30k
English-German from the same byte-pair units with the same sizes: embeddings 256, one bidirectional GRU 256, a decoder
GRU 256, additive attention, everything tied, dropout, AdamW, 64 sentences a batch. They train in turn, TURNS times
SECONDS each, without input feeding and with it; a third runner is Elman with `--precision bf16`, which JoeyNMT lacks on
a processor. What is measured is a whole training loop on each side: making batches, forward, backward, clipping, the
optimiser, logging.

Then Elman trains for ON seconds more, JoeyNMT takes over the weights, and both translate the test sentences with a beam
of 5, in turn; `same` is the share of translations that are equal. Needs ELMAN_DATA.
"""

import os
import sys
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy
from results import write_result
from turns import Peer, Turns, ours

from elman.data import Tokenizer, read_pairs
from elman.tasks import Model, Translate, TranslateOptions, bleu

DATA = Path(os.environ["ELMAN_DATA"]) / "multi30k"
TURNS, SECONDS, WARM_UP, ON = 5, 20, 30, 240
UNITS = 6000
KINDS = {"without input feeding": "after", "with input feeding": "feeding"}
SETTINGS: dict[str, Any] = {
    "cell": "gru",
    "vocabulary_size": UNITS,
    "embedding_size": 256,
    "hidden_size": 256,
    "tied": "all",
    "input_dropout": 0.2,
    "output_dropout": 0.2,
    "batch_units": 1100,  # 63 sentences on average
    "learning_rate": 0.001,
    "source": "en",
    "target": "de",
    "epochs": 1000,
    "validate_every": 1000,
    "checkpoint_minutes": 1000,
}


def tokens(batch: Any) -> int:
    """Target units of a batch, ends of sentences included, padding not."""
    return int(batch.target_lengths.sum())


def training(settings: dict[str, Any], folder: Path) -> AbstractContextManager[Turns]:
    """A training of Elman that waits for its turn."""
    data = {"train": DATA / "train", "valid": DATA / "val", "out": folder}
    return ours("translate", Turns(tokens), **data, **SETTINGS, **settings)


def peer_training(python: str, folder: Path, feeding: bool) -> Peer:
    """A training of JoeyNMT that waits for its turn."""
    settings = {
        "source": str(folder / "train.en"),
        "target": str(folder / "train.de"),
        "vocabulary": str(folder / "units.txt"),
        "input_feeding": feeding,
    }
    return Peer(python, "translate_peer.py", settings)


def peer_rate(peer: Peer, seconds: float) -> float:
    """Target tokens a second."""
    found = peer.ask(do="train", seconds=seconds)
    return found["tokens"] / found["seconds"]


def write_units(folder: Path) -> None:
    """The pairs as units with spaces between, for JoeyNMT: those that Elman finds."""
    train = read_pairs(DATA / "train", "en", "de")
    test = read_pairs(DATA / "test_2016_flickr", "en", "de")
    tokenizer = Tokenizer.learn("\n".join((*train.sources, *train.targets, "")), "bpe", vocabulary_size=UNITS)
    for name, texts in (("train.en", train.sources), ("train.de", train.targets), ("test.en", test.sources)):
        lines = tokenizer.encode_lines(texts)
        units = (" ".join(tokenizer.backend.id_to_token(number) for number in line.tolist()) for line in lines)
        (folder / name).write_text("".join(f"{line}\n" for line in units))
    (folder / "units.txt").write_text("".join(f"{unit}\n" for unit in units_of(tokenizer)))


def units_of(tokenizer: Tokenizer) -> list[str]:
    """Units in the order of their numbers."""
    return sorted(tokenizer.vocabulary, key=tokenizer.vocabulary.__getitem__)


def measure_training(python: str, folder: Path, kind: str) -> dict[str, Any]:
    """Median tokens a second of all; and the translations a second, where the kind is the first."""
    settings = {"attention": "additive", "attend": KINDS[kind]}
    feeding = KINDS[kind] == "feeding"
    peer = peer_training(python, folder, feeding)
    rates: dict[str, list[float]] = {"elman": [], "elman bf16": [], "joeynmt": []}
    row: dict[str, Any] = {"kind": kind}
    runs = folder / KINDS[kind]
    small_settings = settings | {"precision": "bf16"}
    with training(settings, runs / "f32") as turns, training(small_settings, runs / "bf16") as small:
        runners = dict(zip(rates, (turns.train, small.train, partial(peer_rate, peer)), strict=True))
        for train in runners.values():
            train(WARM_UP)
        for _ in range(TURNS):
            for name, train in runners.items():
                rates[name].append(train(SECONDS))
        if not feeding:
            turns.train(ON)
            row |= measure_translating(loaded(turns, settings), peer, folder)
        peer.ask(do="quit")
    row |= {f"{name} tokens/s": round(median(values)) for name, values in rates.items()}
    print(row, flush=True)
    return row


def measure_translating(model: Model, peer: Peer, folder: Path) -> dict[str, Any]:
    """Median sentences a second of both, with one network; its BLEU; and the share of equal translations."""
    test = read_pairs(DATA / "test_2016_flickr", "en", "de")
    numpy.savez(folder / "weights.npz", **as_joeynmt(model))
    peer.ask(do="load", file=str(folder / "weights.npz"))
    rates: dict[str, list[float]] = {"elman": [], "elman bf16": [], "joeynmt": []}
    mine, theirs = [], []
    for _ in range(3):
        for name, precision in (("elman bf16", "bf16"), ("elman", "f32")):
            start = perf_counter()
            mine = model.predict(test.sources, beam_size=5, precision=precision)
            rates[name].append(len(mine) / (perf_counter() - start))
        found = peer.ask(do="translate", file=str(folder / "test.en"), beam=5, batch=64)
        theirs = written(Path(found["out"]), model.task.target)
        rates["joeynmt"].append(found["sentences"] / found["seconds"])
    same = sum(a == b for a, b in zip(mine, theirs, strict=True)) / len(mine)
    scores = {"elman BLEU": bleu(mine, test.targets).value, "joeynmt BLEU": bleu(theirs, test.targets).value}
    rounded = {name: round(value, 2) for name, value in scores.items()} | {"same": round(same, 3)}
    return {f"{name} sentences/s": round(median(values)) for name, values in rates.items()} | rounded


def written(file: Path, tokenizer: Tokenizer) -> list[str]:
    """The texts of JoeyNMT's units, a line each."""
    lines = (line.split() for line in file.read_text().splitlines())
    return [tokenizer.decode(tokenizer.vocabulary[unit] for unit in line).strip() for line in lines]


def as_joeynmt(model: Model) -> dict[str, Any]:
    """The network's weights under JoeyNMT's names."""
    weights = {name: tensor.detach().numpy() for name, tensor in model.network.state_dict().items()}
    size = weights["body.decoder.attention.score.query.weight"].shape[1]  # of the decoder's state
    look = weights["body.decoder.readout.linear.weight"]  # JoeyNMT has the state first, then what was seen
    found = {
        "units": numpy.array(units_of(model.task.source)),
        "border": model.task.source.border,
        "trg_embed.lut.weight": weights["target.weight"],
        "decoder.output_layer.bias": weights["output.bias"],
        "decoder.att_vector_layer.weight": numpy.concatenate([look[:, -size:], look[:, :-size]], axis=1),
        "decoder.att_vector_layer.bias": weights["body.decoder.readout.linear.bias"],
        "decoder.attention.key_layer.weight": weights["body.decoder.attention.score.key.weight"],
        "decoder.attention.key_layer.bias": weights["body.decoder.attention.score.key.bias"],
        "decoder.attention.query_layer.weight": weights["body.decoder.attention.score.query.weight"],
        "decoder.attention.energy_layer.weight": weights["body.decoder.attention.score.energy.weight"],
        "decoder.bridge_layer.weight": weights["body.bridge.linears.0.weight"],
        "decoder.bridge_layer.bias": weights["body.bridge.linears.0.bias"],
    }
    layers = {
        "encoder.rnn.{}_l0": "body.encoder.cells.0.",
        "encoder.rnn.{}_l0_reverse": "body.encoder.cells.1.",
        "decoder.rnn.{}_l0": "body.decoder.stack.cells.0.",
    }
    for theirs, cell in layers.items():
        inner = weights[cell + "bias_hn"]
        found[theirs.format("weight_ih")] = weights[cell + "weight_ih"]
        found[theirs.format("weight_hh")] = weights[cell + "weight_hh"]
        found[theirs.format("bias_ih")] = weights[cell + "bias"]
        found[theirs.format("bias_hh")] = numpy.concatenate([numpy.zeros(2 * len(inner), inner.dtype), inner])
    return found


def loaded(turns: Turns, settings: dict[str, Any]) -> Model:
    """The network as it stands, ready to translate."""
    known = TranslateOptions.model_fields
    task = Translate(TranslateOptions.of({k: v for k, v in (SETTINGS | settings).items() if k in known}))
    task.read(DATA / "train", DATA / "val")
    return Model(task, turns.network, {})


def main(python: str) -> None:
    """Measure and write."""
    begin = perf_counter()
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_units(folder)
        rows = [measure_training(python, folder, kind) for kind in KINDS]
    without, feeding = rows
    metrics = {
        "train_vs_joeynmt": without["elman tokens/s"] / without["joeynmt tokens/s"],
        "train_input_feeding_vs_joeynmt": feeding["elman tokens/s"] / feeding["joeynmt tokens/s"],
        "train_bf16_vs_joeynmt": without["elman bf16 tokens/s"] / without["joeynmt tokens/s"],
        "beam_vs_joeynmt": without["elman sentences/s"] / without["joeynmt sentences/s"],
        "beam_bf16_vs_joeynmt": without["elman bf16 sentences/s"] / without["joeynmt sentences/s"],
    }
    write_result(
        "translate_speed", {key: round(value, 2) for key, value in metrics.items()}, perf_counter() - begin, rows
    )


if __name__ == "__main__":
    if not {"JOEYNMT_PYTHON", "ELMAN_DATA"} <= os.environ.keys():
        sys.exit(__doc__)
    main(os.environ["JOEYNMT_PYTHON"])
