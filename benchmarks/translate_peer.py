"""JoeyNMT behind standard input and output, so that a benchmark can measure it in turn with another program.

    peers/joeynmt/bin/python benchmarks/translate_peer.py '{"source": "train.en", "target": "train.de",
        "vocabulary": "units.txt"}'

The argument holds `Settings`. Texts are already cut into units with one space between them, a sentence a line, and the
vocabulary has a unit a line. Then each line of JSON on standard input is answered by one on standard output:

    {"do": "train", "seconds": 20}       {"tokens": 35520, "steps": 36, "seconds": 20.2, "loss": 4.11}
    {"do": "translate", "file": "test.en", "beam": 5, "batch": 64, "max_length": 60}
                                         {"sentences": 1000, "seconds": 14.0, "out": "/tmp/…/hypotheses"}
    {"do": "load", "file": "weights.npz"}  {"loaded": 24}
    {"do": "describe"}                   settings, number of parameters, versions
    {"do": "quit"}                       {"quit": true}

What cannot be done is answered by {"error": "…"}; JoeyNMT's log goes to standard error. A command may hold "threads",
for itself alone.

It is JoeyNMT's own program: its `prepare` reads the data and builds the model, its `TrainManager.train_and_validate`
runs unchanged, and commands are served between two steps of that loop. So the seconds of training hold all that
training has: shuffling, cutting lines, numbers, padding, masks, forward, loss, backward, clipping, AdamW, its counters
and its log. Those of translation go from a file of units to a file of units: reading, `predict`, writing. Tokens are
target units with each sentence's end and without padding; the loss is JoeyNMT's own per token, with label smoothing
the Kullback-Leibler divergence. The model is rather Luong's (2015) decoder with Bahdanau's (2015) attention: the GRU
sees embedding and, with input feeding, the last attention vector; the query is its new state.

Its best on two cores of an EPYC (Multi30k English to German, 6,000 joint units, the settings below, November 2026):

- two threads: 1,402 target tokens/s in training on a quiet machine, 765 with one. Beside another busy program two
  threads fall below 100, as each parallel loop waits for the slower core: measure on a quiet machine.
- beam 5 in batches of 64 sentences. Sentences per processor second of one thread, mean of two rounds on a loaded
  machine after 250 steps: 44 in batches of 16, 49 of 32, 51 of 64, 45 of 128, 41 of 256, 37 of 1,000.
- f32, all that it offers on a processor. No worker processes: a batch takes 2 ms to make, a step some 750.

So that both programs can translate with one network, `load` takes weights under JoeyNMT's names. Keys and the output
layer then have biases, which JoeyNMT lacks; `units` names the rows of the embeddings, and `border` is the number of the
one that begins and ends a sentence.

The environment, apart from ours because it wants older libraries:

    python3.11 -m venv peers/joeynmt
    peers/joeynmt/bin/pip install torch==2.13.0 joeynmt==2.3.0 importlib_metadata "sentencepiece<0.2.1" \
        "setuptools<81"
"""

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, TextIO

import numpy
import torch
from joeynmt import builders
from joeynmt.config import ConfigurationError, TestConfig, parse_global_args, set_validation_args
from joeynmt.datasets import build_dataset
from joeynmt.helpers import save_hypothese, set_seed
from joeynmt.prediction import predict, prepare
from joeynmt.training import TrainManager
from torch import Tensor, nn

LOG_EVERY = 100  # steps, JoeyNMT's default
NEVER = LOG_EVERY * 10**12  # steps; it asks for a multiple of the former


@dataclass(frozen=True)
class Settings:
    """What is trained, on what, and how; sizes are features."""

    source: str
    target: str
    vocabulary: str
    rnn: str = "gru"
    attention: str = "bahdanau"
    input_feeding: bool = True
    embedding: int = 256
    encoder: int = 256  # of each direction
    decoder: int = 256
    layers: int = 1
    tied: bool = True  # both embeddings and the output layer; wants embedding = decoder
    dropout: float = 0.2  # of embeddings, between layers, and of what goes into the attention vector
    label_smoothing: float = 0.1
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    clip_norm: float = 1.0
    batch: int = 64
    batch_type: str = "sentence"  # or token, padding included
    workers: int = 0  # processes that make batches
    threads: int = 2
    seed: int = 1
    device: str = "cpu"


@dataclass(frozen=True)
class Translation:
    """What to translate and how; a `max_length` of -1 is JoeyNMT's: 1.5 times the longest source of a batch."""

    file: str
    beam: int = 5
    batch: int = 64
    batch_type: str = "sentence"
    max_length: int = -1
    alpha: float = 1.0  # of the length penalty of Wu et al. (2016); -1 for none
    out: str = ""


@dataclass(frozen=True)
class Reading:
    """How far training has come."""

    tokens: int
    steps: int
    loss: float  # summed over tokens
    time: float

    def since(self, start: "Reading") -> dict[str, float]:
        """What was trained after another reading."""
        tokens = self.tokens - start.tokens
        return {
            "tokens": tokens,
            "steps": self.steps - start.steps,
            "seconds": self.time - start.time,
            "loss": (self.loss - start.loss) / max(tokens, 1),
        }


class ServedTrainer(TrainManager):
    """JoeyNMT's trainer, which asks before each step of its loop whether to go on.

    The loop makes a batch before it asks, so the time between two questions holds a step and a batch.

    Args:
        ask: Called before a step; returns when the step may happen, after serving whatever else is wanted.
    """

    def __init__(self, ask: "Callable[[ServedTrainer], None]", **arguments: Any) -> None:
        super().__init__(**arguments)
        self.ask = ask
        self.loss = 0.0

    def _train_step(self, batch: Any) -> tuple[float, int]:
        self.ask(self)
        loss, correct = super()._train_step(batch)
        self.loss += loss * batch.ntokens
        return loss, correct

    def read(self) -> Reading:
        """How far it has come."""
        return Reading(self.stats.total_tokens, self.stats.steps, self.loss, perf_counter())


class Server:
    """Answers commands, one line each, while JoeyNMT trains."""

    def __init__(self, settings: Settings, folder: Path, commands: TextIO, answers: TextIO) -> None:
        self.settings, self.folder = settings, folder
        self.commands, self.answers = commands, answers
        self.numbers = count()
        self.start: Reading | None = None  # of the training that is going on
        self.until = 0.0
        self.args = parse_global_args(configuration(settings, folder))
        set_seed(settings.seed)  # for the weights; `prepare` seeds after it has made them
        self.model, self.data, _, _ = prepare(self.args, rank=0, mode="train")

    def run(self) -> None:
        """Train and serve until told to quit."""
        ServedTrainer(
            self.ask,
            rank=0,
            model=self.model,
            model_dir=self.folder,
            device=self.args.device,
            num_workers=self.args.num_workers,
            autocast=self.args.autocast,
            seed=self.args.seed,
            train_args=self.args.train,
            dev_args=set_validation_args(self.args.test),
        ).train_and_validate(self.data, self.data)

    def ask(self, trainer: ServedTrainer) -> None:
        """Return when there is something to train."""
        if self.start:
            now = trainer.read()
            if now.time < self.until:
                return
            self.answer(now.since(self.start))
            self.start = None
        while not self.start:
            self.serve(trainer)

    def serve(self, trainer: ServedTrainer) -> None:
        """Read one command and do it; the end of the input is a command to quit."""
        line = self.commands.readline() or '{"do": "quit"}'
        try:
            command = parsed(line)
            torch.set_num_threads(int(positive(command.pop("threads", self.settings.threads), "threads")))
            self.do(command.pop("do", None), command, trainer)
        except (ValueError, OSError) as error:
            self.answer({"error": str(error)})

    def do(self, name: Any, command: dict[str, Any], trainer: ServedTrainer) -> None:
        """Do a command, or begin it.

        Raises:
            ValueError: It is unknown or incomplete.
        """
        if name == "train":
            start = trainer.read()
            self.until = start.time + positive(command.get("seconds"), "seconds")
            self.start = start
        elif name == "translate":
            self.answer(self.translated(checked(Translation, command)))
        elif name == "load":
            self.answer({"loaded": self.loaded(Path(command["file"]))})
        elif name == "describe":
            self.answer(self.described())
        elif name == "quit":
            self.answer({"quit": True})
            raise KeyboardInterrupt  # which JoeyNMT takes as the end of training
        else:
            raise ValueError(f"do expects train, translate, describe or quit; received {name!r}")

    def translated(self, wanted: Translation) -> dict[str, Any]:
        """From a file of units to a file of units."""
        name = f"translation-{next(self.numbers)}"
        link(Path(wanted.file), self.folder / f"{name}.source")
        out = Path(wanted.out) if wanted.out else self.folder / f"{name}.hypotheses"
        begin = perf_counter()
        data = build_dataset(
            "plain",
            path=str(self.folder / name),
            src_lang="source",
            trg_lang="target",
            split="test",
            tokenizer=self.data.tokenizer,
            sequence_encoder=self.data.sequence_encoder,
            has_prompt=self.data.has_prompt,
        )
        hypotheses = predict(
            self.model,
            data,
            self.args.device,
            n_gpu=0,
            num_workers=self.args.num_workers,
            args=search_options(self.args.test, wanted),
            autocast=self.args.autocast,
        )[2]
        save_hypothese(out, hypotheses)
        return {"sentences": len(hypotheses), "seconds": perf_counter() - begin, "out": str(out)}

    def loaded(self, file: Path) -> int:
        """Take over weights; how many tensors."""
        arrays = dict(numpy.load(file))
        rows, border = {unit: row for row, unit in enumerate(arrays.pop("units").tolist())}, int(arrays.pop("border"))
        found = {name: torch.from_numpy(array) for name, array in arrays.items()}
        found |= in_order(found, rows, border, self.model.trg_vocab)
        decoder = self.model.decoder
        decoder.attention.key_layer = with_bias(decoder.attention.key_layer)
        decoder.output_layer = with_bias(decoder.output_layer)
        for embedding in (self.model.src_embed, self.model.trg_embed):
            embedding.scale = True
        self.model.load_state_dict(found)
        return len(found)

    def described(self) -> dict[str, Any]:
        """Settings, size, versions."""
        return {
            "settings": asdict(self.settings),
            "device": str(self.args.device),
            "parameters": sum(one.numel() for one in self.model.parameters()),
            "vocabulary": len(self.model.trg_vocab),
            "sentences": len(self.data),
            "versions": {name: version(name) for name in ("joeynmt", "torch")},
        }

    def answer(self, value: Mapping[str, Any]) -> None:
        """One line."""
        print(json.dumps(value), file=self.answers, flush=True)


def configuration(settings: Settings, folder: Path) -> dict[str, Any]:
    """What would stand in JoeyNMT's YAML file.

    Raises:
        ValueError: The two sides do not fit.
    """
    source = link(Path(settings.source), folder / "train.source")
    target = link(Path(settings.target), folder / "train.target")
    if source != target:
        raise ValueError(f"source and target expect as many lines each; received {source:,} and {target:,}")
    units = {"level": "word", "voc_file": settings.vocabulary}
    embeddings = {"embedding_dim": settings.embedding, "dropout": settings.dropout}
    recurrent = {
        "type": "recurrent",
        "rnn_type": settings.rnn,
        "embeddings": embeddings,
        "num_layers": settings.layers,
        "dropout": settings.dropout,
    }
    return {
        "name": "peer",
        "model_dir": str(folder),
        "use_cuda": settings.device != "cpu",
        "num_workers": settings.workers,
        "random_seed": settings.seed,
        "data": {
            "train": str(folder / "train"),
            "dataset_type": "plain",
            "src": {"lang": "source"} | units,
            "trg": {"lang": "target"} | units,
        },
        "model": {
            "tied_embeddings": settings.tied,
            "tied_softmax": settings.tied,
            "encoder": recurrent | {"hidden_size": settings.encoder, "bidirectional": True},
            "decoder": recurrent
            | {
                "hidden_size": settings.decoder,
                "hidden_dropout": settings.dropout,
                "attention": settings.attention,
                "input_feeding": settings.input_feeding,
                "init_hidden": "bridge",
            },
        },
        "training": training(settings),
        "testing": {},
    }


def training(settings: Settings) -> dict[str, Any]:
    """The part of the configuration that says how to learn: without end, and without a stop to validate."""
    return {
        "optimizer": "adamw",
        "learning_rate": settings.learning_rate,
        "learning_rate_min": 0.0,
        "weight_decay": settings.weight_decay,
        "clip_grad_norm": settings.clip_norm,
        "scheduling": "plateau",  # it demands one; this one acts at validation only, so the rate is constant
        "label_smoothing": settings.label_smoothing,
        "normalization": "tokens",
        "batch_size": settings.batch,
        "batch_type": settings.batch_type,
        "epochs": sys.maxsize - 1,
        "logging_freq": LOG_EVERY,
        "validation_freq": NEVER,
    }


def search_options(options: TestConfig, wanted: Translation) -> TestConfig:
    """JoeyNMT's options of beam search."""
    return options._replace(
        beam_size=wanted.beam,
        beam_alpha=wanted.alpha,
        batch_size=wanted.batch,
        batch_type=wanted.batch_type,
        max_output_length=wanted.max_length,
    )


def link(file: Path, place: Path) -> int:
    """Give a file the name that JoeyNMT expects, stem and language; returns its lines.

    Raises:
        ValueError: A line is empty. JoeyNMT would leave it out, and the other side would no longer fit.
    """
    lines = file.read_text(encoding="utf-8").splitlines()
    if not all(line.strip() for line in lines):
        raise ValueError(f"{file} has an empty line; JoeyNMT expects a sentence in each; take it out")
    place.symlink_to(file.absolute())
    return len(lines)


def in_order(weights: dict[str, Tensor], rows: dict[str, int], border: int, vocabulary: Any) -> dict[str, Tensor]:
    """Embeddings and output layer in the order of a vocabulary; what only it has is never written."""
    names = vocabulary._itos
    order = torch.tensor([rows.get(name, border) for name in names])
    never = torch.tensor([name not in rows for name in names])
    never[vocabulary.eos_index] = False
    vectors = weights["trg_embed.lut.weight"][order]
    return {
        "src_embed.lut.weight": vectors,
        "trg_embed.lut.weight": vectors,
        "decoder.output_layer.weight": vectors,
        "decoder.output_layer.bias": weights["decoder.output_layer.bias"][order].masked_fill(never, -1e9),
    }


def with_bias(linear: nn.Linear) -> nn.Linear:
    """The same layer, sharing its weight, that adds a bias."""
    made = nn.Linear(linear.in_features, linear.out_features)
    made.weight = linear.weight
    return made


def parsed(line: str) -> dict[str, Any]:
    """A JSON object.

    Raises:
        ValueError: It is none.
    """
    value = json.loads(line)
    if not isinstance(value, dict):
        raise ValueError(f"expected a JSON object; received {line.strip()}")
    return value


def checked(kind: type, values: dict[str, Any]) -> Any:
    """An object of a dataclass.

    Raises:
        ValueError: A name is unknown or lacking, or a value of another type than its default.
    """
    types = {field.name: field.type for field in fields(kind)}
    try:
        made = kind(**values)
    except TypeError as error:
        raise ValueError(f"{error}; {kind.__name__} knows {', '.join(types)}") from None
    for name, value in values.items():
        if not isinstance(value, (int, float) if types[name] is float else types[name]):
            raise ValueError(f"{name} expects {types[name].__name__}; received {value!r}")
    return made


def positive(value: Any, name: str) -> Any:
    """A number above zero.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(value, int | float) or value <= 0:
        raise ValueError(f"{name} expects a number above 0; received {value!r}")
    return value


def without_verbose(scheduler: Callable[..., Any]) -> Callable[..., Any]:
    """JoeyNMT passes `verbose`, which PyTorch has dropped."""

    def make(*arguments: Any, verbose: bool = False, **named: Any) -> Any:
        return scheduler(*arguments, **named)

    return make


def main() -> None:
    """Serve the settings on the command line."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints is no answer
    builders.ReduceLROnPlateau = without_verbose(builders.ReduceLROnPlateau)
    with TemporaryDirectory(prefix="joeynmt-") as folder:
        try:
            settings = checked(Settings, parsed(sys.argv[1] if len(sys.argv) > 1 else "{}"))
            server = Server(settings, Path(folder), sys.stdin, answers)
        except (ValueError, OSError, ConfigurationError) as error:
            sys.exit(f"translate_peer: {error}")
        server.run()


if __name__ == "__main__":
    main()
