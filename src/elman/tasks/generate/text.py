"""Texts: learn how one goes on, and write more of it."""

from collections.abc import Sequence
from math import ceil, exp, log
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor, nn
from torch.nn import functional as F

from elman.data import IGNORE, Lines, Tokenizer, Window, Windows, cut_to, read_text, read_texts
from elman.errors import OptionError
from elman.layers import LayerState, Recurrent, find_cell
from elman.models import LanguageModel
from elman.tasks.generate.base import GenerateTask
from elman.tasks.generate.session import Session
from elman.tasks.task import Batches, Examples, Judge, Loss, RunningLoss
from elman.tasks.teacher import Teacher

UNITS_IN_A_ROW = 200_000
"""A longer text is scored in several rows side by side; each starts without memory."""


SHAPE = ("embedding_size", "hidden_size", "num_layers", "tied", "word_dropout", "input_dropout", "dropout")
SHAPE += ("output_dropout", "variational", "recurrent_dropout", "zoneout", "weight_drop", "residual")
"""Options that the network knows."""


class Texts(GenerateTask):
    """Text in any language: characters, bytes, words or byte-pair units."""

    saved: ClassVar[str] = "tokenizer.json"

    tokenizer: Tokenizer
    units_per_character: float = 1.0

    def read(self, train: Path | None, valid: Path | None, start: Path | None = None) -> Examples:
        options = self.options
        texts = read_texts(train, valid, whole_lines=options.units == "word" or options.examples == "line")
        if start is None:
            self.tokenizer = options.learn_tokenizer(texts.train, unknown=False)
        else:
            self.load(start)
        train_batches, train_units, cut = self._batches(
            texts.train, "the training text", options.batch_size, learn=True
        )
        valid_batches, valid_units, _ = self._batches(texts.valid, "the validation text", options.batch_size)
        self.units_per_character = valid_units / len(texts.valid)
        notes = (f"{cut:,} of {train_units:,} units cut at the {options.cut} of lines",) if cut else ()
        first = train_batches.batch(0).inputs[: options.window, :3]
        return Examples(
            train=train_batches,
            valid=valid_batches,
            notes=(*texts.notes, *notes),
            rows=tuple(self.tokenizer.decode(row) for row in first.unbind(1)),
            facts={
                "training units": train_units,
                "validation units": valid_units,
                "vocabulary": len(self.tokenizer),
            },
            fingerprint=texts.fingerprint,
        )

    def _batches(
        self, text: str, name: str, rows: int | None = None, *, learn: bool = False
    ) -> tuple[Batches, int, int]:
        """A text as batches, how many units it has, and how many of them were cut."""
        if self.options.examples == "line":
            return self._lines(text, name)
        numbers = self.tokenizer.encode(text, name)
        rows = rows or ceil(len(numbers) / UNITS_IN_A_ROW) or 1
        return Windows(numbers, rows, self.options.window, keep_all=not learn, name=name), len(numbers), 0

    def _lines(self, text: str, name: str) -> tuple[Lines, int, int]:
        lines = [self.tokenizer.encode(line, name) for line in text.split("\n") if line.strip()]
        kept, cut = cut_to(lines, self.options.max_length, self.options.cut)
        border = int(self.tokenizer.encode("\n", f"the end of lines in {name}")[0])
        units = sum(len(line) + 1 for line in lines)  # with the end of each
        return Lines(kept, border, self.options.batch_size, name), units, cut

    def read_to_score(self, path: Path) -> Batches:
        return self.batches_to_score(read_text(path), str(path))

    def batches_to_score(self, text: str, name: str = "the text") -> Batches:
        """A text of which every unit is predicted once; in a stream, every one but the first."""
        batches, units, _ = self._batches(text, name)
        self.units_per_character = units / max(1, len(text))
        return batches

    def network(self) -> LanguageModel:
        shape = self.options.model_dump(include={*SHAPE})
        return LanguageModel(len(self.tokenizer), find_cell(self.options.cell), **shape)

    def loss(self, network: nn.Module, batch: Window, state: LayerState | None) -> Loss:
        assert isinstance(network, LanguageModel)
        count = int((batch.targets != IGNORE).sum())
        if network.training and self.teacher is not None:
            mean, state = self._taught(network, self.teacher, batch, state)
        else:
            mean, state = network.loss(batch.inputs, batch.targets, IGNORE, state)
        return Loss(mean, count, state)

    def _taught(
        self, network: LanguageModel, teacher: Teacher, batch: Window, state: LayerState | None
    ) -> tuple[Tensor, LayerState]:
        """The loss with a teacher's share; the state to go on from is that of the network, then the teacher's."""
        assert isinstance(network.body, Recurrent)
        layers = len(network.body.cells)
        scores, own = network(batch.inputs, state and state[:layers])
        known, theirs = teacher.says(batch.inputs, state and state[layers:])
        there = batch.targets != IGNORE
        loss = F.cross_entropy(scores[there], batch.targets[there])
        return teacher.mix(loss, teacher.surprise(scores[there], known[there])), (*own, *theirs)

    def judge(self, **settings: Any) -> "Listener":
        if settings:
            raise OptionError(f"{min(settings)} does not act when a text is scored; leave it away")
        return Listener(self)

    def session(self, network: nn.Module, seed: int = 0) -> Session:
        """A text in the making."""
        assert isinstance(network, LanguageModel)
        return Session(network, self.tokenizer, seed, line=self.options.examples == "line")

    def predict(self, network: nn.Module, inputs: Sequence[str], *, seed: int = 0, **settings: Any) -> list[str]:
        self.refuse(settings, ("count", "kept", "given", "unusual"))
        answers = []
        for prompt in inputs:
            session = self.session(network, seed)
            session.read(prompt)
            answers.append("".join(session.write(**settings)))
        return answers

    def save(self, folder: Path) -> None:
        self.options.save_cell(folder)
        self.tokenizer.save(folder / self.saved)

    def load(self, folder: Path) -> None:
        self.tokenizer = Tokenizer.load(folder / self.saved, self.options.units)


class Listener(Judge):
    """How well a model expects a text."""

    def __init__(self, task: Texts) -> None:
        self.task, self.loss = task, RunningLoss()

    def add(self, network: nn.Module, batch: Window) -> None:
        self.loss.add(self.task, network, batch)

    def scores(self) -> dict[str, float]:
        nats = self.loss.mean * self.task.units_per_character
        return {
            "loss": self.loss.mean,
            "perplexity": exp(min(self.loss.mean, 700)),
            "nats_per_character": nats,
            "bits_per_character": nats / log(2),
        }
