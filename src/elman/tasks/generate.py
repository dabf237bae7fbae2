"""The task `generate`: learn how a text goes on, and write more of it."""

from collections.abc import Sequence
from math import ceil, exp, log
from pathlib import Path
from typing import Any, ClassVar, Literal

from torch import nn
from torch.nn import functional as F

from elman.data import IGNORE, Tokenizer, Window, Windows, read_text, read_texts
from elman.layers import LayerState, find_cell
from elman.models import LanguageModel
from elman.tasks.options import Count, Options, Share
from elman.tasks.session import Session
from elman.tasks.task import Examples, Loss, Task

UNITS_IN_A_ROW = 200_000
"""A longer text is scored in several rows side by side; each starts without memory."""


class GenerateOptions(Options):
    """What is learned from a text, and with what."""

    units: Literal["character", "byte", "word", "bpe"] = "character"
    """What one step of the network reads: a character, a byte, a word between white space, or a byte-pair unit."""
    vocabulary_size: Count | None = None
    """Keep at most this many units; byte-pair units stop at 2,000 when nothing is said."""
    min_count: Count = 1
    """Words or characters seen less often read as <unk>."""
    batch_size: Count = 32
    """How many places of the text are read side by side."""
    window: Count = 100
    """Steps after which back-propagation through time is cut; the state is carried on."""
    cell: str = "lstm"
    """The recurrent cell: a name that `elman cells` lists, or your own as package.module:Class or file.py:Class."""
    embedding_size: Count = 128
    """Numbers in a unit's vector."""
    hidden_size: Count = 256
    """Numbers in a layer's output."""
    num_layers: Count = 1
    """Recurrent layers on top of each other."""
    residual: bool = False
    """Add a layer's input to its output where the widths agree."""
    tied: bool = False
    """Use the units' vectors in the output layer too; the last layer is then as wide as they are."""
    word_dropout: Share = 0.0
    """Share of the vocabulary that reads as zeros in a training step."""
    input_dropout: Share = 0.0
    """Share of the vectors' features dropped in training."""
    dropout: Share = 0.0
    """Share of features dropped between layers in training."""
    output_dropout: Share = 0.0
    """Share of features dropped before the output layer in training."""
    variational: bool = False
    """Keep one dropout mask for all steps of a window."""
    recurrent_dropout: Share = 0.0
    """Share of the previous output hidden from the recurrent products, one mask a window."""
    zoneout: Share = 0.0
    """Share of the state that keeps its old value at a step."""
    weight_drop: Share = 0.0
    """Share of the recurrent weights dropped in a training step."""


class Generate(Task):
    """Text in any language: characters, bytes, words or byte-pair units."""

    name: ClassVar[str] = "generate"
    summary: ClassVar[str] = "Learn how a text goes on, and write more of it."
    options_class: ClassVar[type[Options]] = GenerateOptions

    options: GenerateOptions
    tokenizer: Tokenizer
    units_per_character: float = 1.0

    def read(self, train: Path | None, valid: Path | None) -> Examples:
        options, texts = self.options, read_texts(train, valid)
        self.tokenizer = Tokenizer.learn(
            texts.train, options.units, vocabulary_size=options.vocabulary_size, min_count=options.min_count
        )
        train_numbers = self.tokenizer.encode(texts.train, "the training text")
        valid_numbers = self.tokenizer.encode(texts.valid, "the validation text")
        self.units_per_character = len(valid_numbers) / len(texts.valid)
        windows = Windows(train_numbers, options.batch_size, options.window, name="the training text")
        return Examples(
            train=windows,
            valid=Windows(valid_numbers, options.batch_size, options.window, keep_all=True, name="the validation text"),
            notes=texts.notes,
            rows=tuple(
                self.tokenizer.decode(windows.inputs[: options.window, row]) for row in range(3)[: options.batch_size]
            ),
            facts={
                "training units": len(train_numbers),
                "validation units": len(valid_numbers),
                "vocabulary": len(self.tokenizer),
            },
            fingerprint=texts.fingerprint,
        )

    def read_to_score(self, path: Path) -> Windows:
        return self.windows_to_score(read_text(path), str(path))

    def windows_to_score(self, text: str, name: str = "the text") -> Windows:
        """A text of which every unit but the first is predicted once."""
        numbers = self.tokenizer.encode(text, name)
        self.units_per_character = len(numbers) / max(1, len(text))
        return Windows(numbers, ceil(len(numbers) / UNITS_IN_A_ROW) or 1, self.options.window, keep_all=True, name=name)

    def network(self) -> LanguageModel:
        shape = self.options.model_dump(
            exclude={"units", "vocabulary_size", "min_count", "batch_size", "window", "cell"}
        )
        return LanguageModel(len(self.tokenizer), find_cell(self.options.cell), **shape)

    def loss(self, network: nn.Module, batch: Window, state: LayerState | None) -> Loss:
        scores, state = network(batch.inputs, state)
        mean = F.cross_entropy(scores.flatten(0, 1), batch.targets.flatten(), ignore_index=IGNORE)
        return Loss(mean, int((batch.targets != IGNORE).sum()), state)

    def scores(self, mean_loss: float) -> dict[str, float]:
        nats = mean_loss * self.units_per_character
        return {
            "loss": mean_loss,
            "perplexity": exp(min(mean_loss, 700)),
            "nats_per_character": nats,
            "bits_per_character": nats / log(2),
        }

    def session(self, network: nn.Module, seed: int = 0) -> Session:
        """A text in the making."""
        assert isinstance(network, LanguageModel)
        return Session(network, self.tokenizer, seed)

    def predict(self, network: nn.Module, inputs: Sequence[str], *, seed: int = 0, **settings: Any) -> list[str]:
        answers = []
        for prompt in inputs:
            session = self.session(network, seed)
            session.read(prompt)
            answers.append("".join(session.write(**settings)))
        return answers

    def save(self, folder: Path) -> None:
        self.tokenizer.save(folder / "tokenizer.json")

    def load(self, folder: Path) -> None:
        self.tokenizer = Tokenizer.load(folder / "tokenizer.json", self.options.units)
