"""Texts: learn how one goes on, and write more of it."""

from collections.abc import Sequence
from math import ceil, exp, log
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.data import IGNORE, Lines, Tokenizer, Window, Windows, cut_to, read_text, read_texts
from elman.errors import DataError, OptionError
from elman.layers import LayerState, Recurrent
from elman.models import LanguageModel
from elman.tasks.generate.base import Expectation, GenerateTask
from elman.tasks.generate.live import LiveTexts
from elman.tasks.generate.session import LENGTH, Session, write_all
from elman.tasks.inspection.case import Case
from elman.tasks.live import Live
from elman.tasks.task import Batches, Examples, Loss
from elman.tasks.teacher import Teacher

ENDS = {"stream": "", "line": "\n", "paragraph": "\n\n"}
"""What ends an example."""
UNITS_IN_A_ROW = 200_000
"""A longer text is scored in several rows side by side; each starts without memory."""
TOGETHER = 64
"""Answers that are written side by side."""


class Texts(GenerateTask):
    """Text in any language: characters, bytes, words or byte-pair units."""

    saved: ClassVar[str] = "tokenizer.json"
    continues: ClassVar[bool] = True
    acting = ("temperature", "top_k", "top_p", "length", "stop")
    usual_length = LENGTH

    tokenizer: Tokenizer
    units_per_character: float = 1.0

    def read(self, train: Path | None, valid: Path | None, start: Path | None = None) -> Examples:
        options = self.options
        texts = read_texts(train, valid, whole_lines=options.units == "word" or options.examples != "stream")
        if start is None:
            self.tokenizer = options.learn_tokenizer(texts.train, unknown=False)
        else:
            self.load(start)
        train_batches, train_units, cut = self._batches(
            texts.train, "the training text", options.batch_size, learn=True
        )
        valid_batches, valid_units, _ = self._batches(texts.valid, "the validation text", options.batch_size)
        self.units_per_character = valid_units / len(texts.valid)
        notes = (f"{cut:,} of {train_units:,} units cut at the {options.cut} of {options.examples}s",) if cut else ()
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
        if self.options.examples != "stream":
            return self._examples(text, name)
        numbers = self.tokenizer.encode(text, name)
        rows = rows or ceil(len(numbers) / UNITS_IN_A_ROW) or 1
        return Windows(numbers, rows, self.options.window, keep_all=not learn, name=name), len(numbers), 0

    def _examples(self, text: str, name: str) -> tuple[Lines, int, int]:
        """Lines, or paragraphs with the end of their last line; the end of one more line ends each."""
        if self.options.examples == "line":
            texts = [line for line in text.split("\n") if line.strip()]
        else:
            texts = [f"{part.strip()}\n" for part in text.split("\n\n") if part.strip()]
        lines = [self.tokenizer.encode(one, name) for one in texts]
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

    def description(self) -> dict[str, Any]:
        return {"takes": "text"}

    def network(self) -> LanguageModel:
        return self.options.language_model(len(self.tokenizer))

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
        return Session(network, self.tokenizer, seed, end=ENDS[self.options.examples])

    def live(self, network: nn.Module) -> Live:
        assert isinstance(network, LanguageModel)
        return LiveTexts(network, lambda seed: self.session(network, seed))

    @torch.no_grad()
    def case(self, network: nn.Module, given: str) -> Case:
        """How sure it is of the unit that comes next."""
        assert isinstance(network, LanguageModel)
        text = f"\n{given}" if ENDS[self.options.examples] else given
        numbers = self.tokenizer.encode(text, "the input")
        if not len(numbers):
            raise DataError("the input is empty; expected a text to read")

        def score() -> Tensor:
            return network(numbers.unsqueeze(1))[0][-1, 0].log_softmax(0)

        best = int(score().argmax())
        steps = [self.tokenizer.decode([number]) for number in numbers.tolist()]
        return Case(steps, network.body, self.tokenizer.decode([best]), lambda: score()[best])

    def predict(self, network: nn.Module, inputs: Sequence[str], *, seed: int = 0, **settings: Any) -> list[str]:
        self.writing(settings)
        answers = []
        for first in range(0, len(inputs), TOGETHER):
            sessions = []
            for prompt in inputs[first : first + TOGETHER]:
                sessions.append(self.session(network, seed))
                sessions[-1].read(prompt)
            answers += write_all(sessions, **settings)
        return answers

    def save(self, folder: Path) -> None:
        self.options.save_cell(folder)
        self.tokenizer.save(folder / self.saved)

    def load(self, folder: Path) -> None:
        self.tokenizer = Tokenizer.load(folder / self.saved, self.options.units)


class Listener(Expectation):
    """How well a model expects a text."""

    def scores(self) -> dict[str, float]:
        nats = self.loss.mean * self.task.units_per_character
        return {
            "loss": self.loss.mean,
            "perplexity": exp(min(self.loss.mean, 700)),
            "nats_per_character": nats,
            "bits_per_character": nats / log(2),
        }
