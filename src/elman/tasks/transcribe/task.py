"""The task `transcribe`: learn to write down what is said.

Key: T moments of a sound, S steps of the network, B batch, F features, V units, L units of a text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.data import (
    IGNORE,
    Columns,
    Labelled,
    SequenceBatch,
    SequenceBatches,
    Tokenizer,
    made_calls,
    read_transcripts,
)
from elman.errors import DataError
from elman.layers import LayerState
from elman.models import Transcriber
from elman.tasks.inputs import AT_ONCE, SoundInputs
from elman.tasks.options import Options
from elman.tasks.task import Batches, Examples, Judge, Loss, Task, refuse_settings
from elman.tasks.transcribe.options import TranscribeOptions, Transcribing
from elman.tasks.transcribe.scores import error_rates
from elman.tasks.transcribe.transcript import best_path, transcript


@dataclass(frozen=True)
class SpeechBatch(SequenceBatch):
    """Sounds (T, B, F), units (L, B) with `IGNORE` behind them, and the texts that they are of."""

    texts: tuple[str, ...] = ()


class SpeechBatches(SequenceBatches):
    """Sounds and texts in batches of similar length.

    Args:
        sounds: Each (T, F).
        said: Units, each (L,).
        texts: As a person wrote them.
        rest: As in `SequenceBatches`.
    """

    def __init__(self, sounds: Sequence[Tensor], said: Sequence[Tensor], texts: Sequence[str], **rest: Any) -> None:
        super().__init__(sounds, said, per_step=True, **rest)
        self.texts = texts

    def of(self, rows: Sequence[int]) -> SpeechBatch:
        return SpeechBatch(**vars(super().of(rows)), texts=tuple(self.texts[row] for row in rows))


class Transcribe(Task):
    """What is said in a recording."""

    name: ClassVar[str] = "transcribe"
    summary: ClassVar[str] = "Learn to write down what is said in a recording, and when."
    options_class: ClassVar[type[Options]] = TranscribeOptions
    predicting_class: ClassVar[type[Options]] = Transcribing
    answers_with: ClassVar[str] = "text"
    saved: ClassVar[str] = "sound.json"
    taught: ClassVar[bool] = False
    best = ("wer", "min")
    told = ("wer",)

    options: TranscribeOptions
    inputs: SoundInputs
    tokenizer: Tokenizer

    def read(self, train: Path | None, valid: Path | None, start: Path | None = None) -> Examples:
        found = made_calls() if train is None else self._transcripts(train)
        found, held_out = found.split() if valid is None else (found, self._transcripts(valid))
        if start is None:
            self.tokenizer = self.options.learn_lines(found.answers)
            self.inputs = SoundInputs.of(found.inputs, self.options.rate, self.options.bands)
        else:
            self.load(start)
        sounds, units = self._read(found)
        short = self._short(sounds, units)
        notes = (self._left_out(found, short),) if short else ()
        fitting = sorted({*range(len(found))}.difference(short))
        return Examples(
            train=self._batches(
                found.some(fitting),
                [sounds[row] for row in fitting],
                [units[row] for row in fitting],
                self.options.batch_size,
            ),
            valid=self._batches(held_out, *self._read(held_out)),
            notes=(*found.notes, *held_out.notes, *notes),
            rows=tuple(
                f"{self.inputs.shown(one)} → {said}"
                for one, said in zip(found.inputs[:3], found.answers[:3], strict=True)
            ),
            facts={
                "training recordings": len(found),
                "validation recordings": len(held_out),
                "training seconds": round(sum(one.seconds for one in found.inputs)),
                "vocabulary": len(self.tokenizer),
                "bands": self.inputs.width,
            },
            fingerprint=found.fingerprint + held_out.fingerprint,
        )

    def _transcripts(self, path: Path, *, answered: bool = True) -> Labelled:
        return read_transcripts(path, Columns(text=self.options.text, path=self.options.path), answered=answered)

    def _read(self, found: Labelled) -> tuple[list[Tensor], list[Tensor]]:
        """Sounds (T, F) and units (L,)."""
        places = [found.place(row) for row in range(len(found))]
        return self.inputs.sequences(found.inputs, places), self.tokenizer.encode_lines(found.answers, "the texts")

    def _short(self, sounds: Sequence[Tensor], units: Sequence[Tensor]) -> list[int]:
        """Those that have too few steps for their texts."""
        steps = [-(-len(sound) // self.options.together) for sound in sounds]
        return [row for row, (said, there) in enumerate(zip(units, steps, strict=True)) if _needed(said) > there]

    def _left_out(self, found: Labelled, short: Sequence[int]) -> str:
        """That they are.

        Raises:
            DataError: None is left.
        """
        count = len(short)
        if count == len(found):
            raise DataError(f"the recordings of {found.name} are all too short for their texts; check the texts")
        are = "is too short for its text" if count == 1 else "are too short for their texts"
        return (
            f"{count:,} of {len(found):,} recordings {are} and left out, the first is {found.places[short[0]]}; fewer "
            "moments --together would leave more steps"
        )

    def _batches(
        self, found: Labelled, sounds: Sequence[Tensor], units: Sequence[Tensor], batch_size: int | None = None
    ) -> SpeechBatches:
        together = None if batch_size else AT_ONCE
        return SpeechBatches(
            sounds,
            units,
            found.answers,
            batch_size=batch_size,
            units=together,
            prepare=self.inputs.prepare,
            name="the recordings",
        )

    def read_to_score(self, path: Path) -> Batches:
        found = self._transcripts(path)
        return self._batches(found, *self._read(found))

    def read_inputs(self, path: Path) -> list[Any]:
        return self._transcripts(path, answered=False).named

    def network(self) -> nn.Module:
        options = self.options
        body = options.body(self.inputs.width * options.together, bidirectional=options.bidirectional)
        shape = {"together": options.together, "ahead": options.ahead}
        return Transcriber(body, len(self.tokenizer), **shape, masks=options.masks, **options.dropouts())

    def loss(self, network: nn.Module, batch: SequenceBatch, state: LayerState | None) -> Loss:
        scores, lengths = network(batch.inputs, batch.lengths)
        return ctc(scores, lengths, batch.targets)

    def judge(self, **settings: Any) -> "Listener":
        refuse_settings(settings)
        return Listener(self.tokenizer)

    @torch.inference_mode()
    def predict(self, network: nn.Module, inputs: Sequence[Any], **settings: Any) -> list[Any]:
        """Texts; with `times` a `Transcript` each."""
        options = Transcribing.of(settings)
        sounds = self.inputs.sequences(inputs, [f"input {number}" for number in range(1, len(inputs) + 1)])
        seconds = self.inputs.mel.step / self.inputs.mel.rate * self.options.together
        nothing = [torch.zeros(0, dtype=torch.long)] * len(sounds)
        batches = SpeechBatches(sounds, nothing, [""] * len(sounds), units=AT_ONCE, prepare=self.inputs.prepare)
        answers: list[Any] = [None] * len(sounds)
        for batch in batches:
            scores, lengths = network(batch.inputs, batch.lengths)
            for column, row in enumerate(batch.rows):
                found = transcript(best_path(scores[: lengths[column], column]), self.tokenizer, seconds)
                answers[row] = found if options.times else found.text
        return answers

    def save(self, folder: Path) -> None:
        self.tokenizer.save(folder / "tokenizer.json")
        self.options.save_cell(folder)
        self.inputs.save(folder)

    def load(self, folder: Path) -> None:
        self.tokenizer = Tokenizer.load(folder / "tokenizer.json", self.options.units)
        self.inputs = SoundInputs.load(folder)


class Listener(Judge):
    """How many words and characters of transcripts are wrong."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.total, self.count = 0.0, 0
        self.pairs: dict[int, tuple[str, str]] = {}
        """By row: what was heard, and what was said."""

    def add(self, network: nn.Module, batch: SpeechBatch) -> None:
        scores, lengths = network(batch.inputs, batch.lengths)
        loss = ctc(scores, lengths, batch.targets)
        self.total, self.count = self.total + float(loss.mean) * loss.count, self.count + loss.count
        for column, row in enumerate(batch.rows):
            heard = transcript(best_path(scores[: lengths[column], column]), self.tokenizer, 1)
            self.pairs[row] = heard.text, batch.texts[column]

    def scores(self) -> dict[str, float]:
        heard, said = zip(*(self.pairs[row] for row in sorted(self.pairs)), strict=True)
        return {"loss": self.total / max(1, self.count), **error_rates(heard, said)}

    def written(self) -> list[str]:
        return [self.pairs[row][0] for row in sorted(self.pairs)]


def ctc(scores: Tensor, lengths: Tensor, targets: Tensor) -> Loss:
    """Nats per unit that any way to say the units has (Graves et al. 2006); texts too long for their steps count 0.

    Args:
        scores: (S, B, V + 1), logarithms of probabilities, none last.
        lengths: (B,), steps.
        targets: (L, B), `IGNORE` behind the units.
    """
    units = (targets != IGNORE).sum(0)
    count = max(1, int(units.sum()))
    none = scores.shape[2] - 1
    total = F.ctc_loss(scores, targets.clamp_min(0).T, lengths, units, none, reduction="sum", zero_infinity=True)
    return Loss(total / count, count, None)


def _needed(units: Tensor) -> int:
    """Steps that units take at least: one each, and one of nothing between two of a kind."""
    return len(units) + int((units[1:] == units[:-1]).sum())
