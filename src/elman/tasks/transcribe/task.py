"""The task `transcribe`: learn to write down what is said.

Key: T moments of a sound, S steps of the network, B batch, F features, V units, L units of a text.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from math import ceil
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.data import (
    IGNORE,
    SOUNDS,
    Columns,
    Labelled,
    Named,
    SequenceBatch,
    SequenceBatches,
    Source,
    Tokenizer,
    Upload,
    find_recordings,
    made_calls,
    read_sounds,
    read_transcripts,
    write_text,
)
from elman.errors import OptionError
from elman.layers import LayerState
from elman.models import Transcriber
from elman.tasks.inputs import AT_ONCE, SoundInputs
from elman.tasks.inspection.case import Case
from elman.tasks.live import Live
from elman.tasks.options import Options
from elman.tasks.task import Batches, Conversation, Examples, Judge, Loss, Task
from elman.tasks.transcribe.hearing import AfterTheEnd, Hearing
from elman.tasks.transcribe.hearings import Hearings
from elman.tasks.transcribe.language import Language
from elman.tasks.transcribe.live import LiveSounds
from elman.tasks.transcribe.options import TranscribeOptions, Transcribing
from elman.tasks.transcribe.pieces import Piece, pieces_of
from elman.tasks.transcribe.prefix_search import PrefixSearch
from elman.tasks.transcribe.scores import error_rates
from elman.tasks.transcribe.subtitles import SUBTITLES
from elman.tasks.transcribe.transcript import BestPath, Decoding, Scribe, Transcript, Word, transcript

TOGETHER = 4 * AT_ONCE
"""Moments that are heard, of as many recordings as they are, before they are read."""


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

    def of(self, rows: Sequence[int], epoch: int | None = None) -> SpeechBatch:
        return SpeechBatch(**vars(super().of(rows, epoch)), texts=tuple(self.texts[row] for row in rows))


class Transcribe(Task):
    """What is said in a recording."""

    name: ClassVar[str] = "transcribe"
    summary: ClassVar[str] = "Learn to write down what is said in a recording, and when."
    options_class: ClassVar[type[Options]] = TranscribeOptions
    predicting_class: ClassVar[type[Options]] = Transcribing
    answers_with: ClassVar[str] = "text"
    saved: ClassVar[str] = "sound.json"
    answers_when_judged: ClassVar[bool] = True
    files: ClassVar[tuple[str, ...]] = tuple(SUBTITLES)
    taught: ClassVar[bool] = False
    best = ("wer", "min")
    told = ("wer",)

    options: TranscribeOptions
    inputs: SoundInputs
    tokenizer: Tokenizer

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.languages: dict[Path, Language] = {}
        """The language model of the last answer."""

    def read(self, train: Path | None, valid: Path | None, start: Path | None = None) -> Examples:
        found = made_calls() if train is None else self._transcripts(train)
        found, held_out = found.split() if valid is None else (found, self._transcripts(valid))
        if start is None:
            self.tokenizer = self.options.learn_lines(found.answers)
            self.inputs = SoundInputs.of(found, self.options)
        else:
            self.load(start)
        sounds, units = self._read(found)
        short = self._short(sounds, units)
        hint = "fewer moments --together would leave more steps"
        kept = found.without(sorted(short), "too short for what is said", "recordings", hint)
        sounds, units = ([each for row, each in enumerate(of) if row not in short] for of in (sounds, units))
        return Examples(
            train=self._batches(kept, sounds, units, self.options.batch_size),
            valid=self._batches(held_out, *self._read(held_out)),
            notes=(*kept.notes, *held_out.notes),
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

    def _transcripts(self, path: Path) -> Labelled:
        return read_transcripts(path, self._columns)

    @property
    def _columns(self) -> Columns:
        return Columns(text=self.options.text, path=self.options.path)

    def _read(self, found: Labelled) -> tuple[list[Tensor], list[Tensor]]:
        """Sounds (T, F) and units (L,)."""
        places = [found.place(row) for row in range(len(found))]
        return self.inputs.sequences(found.inputs, places), self.tokenizer.encode_lines(found.answers, "the texts")

    def _short(self, sounds: Sequence[Tensor], units: Sequence[Tensor]) -> set[int]:
        """Those that have too few steps for their texts, when played fastest."""
        fastest = self.options.together * (1 + self.options.speeds)
        steps = [ceil(len(sound) / fastest) for sound in sounds]
        return {row for row, (said, there) in enumerate(zip(units, steps, strict=True)) if _needed(said) > there}

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
            vary=self.inputs.at_speeds(found.inputs, self.options.speeds),
            name="the recordings",
        )

    def read_to_score(self, path: Path) -> Batches:
        found = self._transcripts(path)
        return self._batches(found, *self._read(found))

    @property
    def uploads(self) -> tuple[str, ...]:
        return SOUNDS

    def read_inputs(self, path: Source) -> Named:
        return read_sounds(path).named if isinstance(path, Upload) else find_recordings(path, self._columns)

    def received(self, given: Any) -> Any:
        return self.inputs.received(given)

    def description(self) -> dict[str, Any]:
        return self.inputs.description()

    def sample(self) -> Any:
        return self.inputs.sample()

    def network(self) -> nn.Module:
        options = self.options
        body = options.body(self.inputs.width * options.together, bidirectional=options.bidirectional)
        shape = {"together": options.together, "ahead": options.ahead}
        return Transcriber(body, len(self.tokenizer), **shape, masks=options.masks, **options.dropouts())

    def loss(self, network: nn.Module, batch: SequenceBatch, state: LayerState | None) -> Loss:
        scores, lengths = network(batch.inputs, batch.lengths)
        return ctc(scores, lengths, batch.targets)

    def judge(self, **settings: Any) -> "Listener":
        options = Transcribing.of(settings)
        if options.times:
            raise OptionError("times does not act when a model is judged; leave it away")
        self._language(options.language_model)  # what is wrong with it is said before anything is heard
        return Listener(self.tokenizer, lambda: self._decoding(options))

    def session(self, network: nn.Module, seed: int = 0) -> Conversation:
        """Writes while it hears, where the network does not read whole recordings."""
        if self._whole:
            return AfterTheEnd(lambda path, settings: self.predict(network, [path], **settings)[0])
        return Hearing(self._hearings(network))

    def live(self, network: nn.Module) -> Live | None:
        if self._whole:
            return None
        return LiveSounds(self._hearings(network))

    def _hearings(self, network: nn.Module) -> Hearings:
        assert isinstance(network, Transcriber)
        return Hearings(network, self.inputs, self._decoding, self._scribe)

    @property
    def _whole(self) -> bool:
        """Does a network know all of a recording, at each step?"""
        return self.options.bidirectional or self.options.network != "recurrent"

    def _decoding(self, options: Transcribing) -> Decoding:
        if options.beam == 1:
            return BestPath()
        language, weight = self._language(options.language_model), options.language_weight
        return PrefixSearch(self.tokenizer, options.beam, language, weight, options.word_bonus)

    def _language(self, run: Path | None) -> Language | None:
        """A language model, loaded once."""
        if run is not None and run not in self.languages:
            self.languages = {run: Language(run, self.tokenizer)}
        return None if run is None else self.languages[run]

    def _scribe(self, first: int = 0) -> Scribe:
        """Writes down what is said from a moment on."""
        seconds = self.inputs.mel.step / self.inputs.mel.rate
        return Scribe(self.tokenizer, seconds * self.options.together, seconds * first)

    @torch.no_grad()
    def case(self, network: nn.Module, given: Any) -> Case:
        """How sure it is of the likeliest unit, or none, at each step, all together."""
        assert isinstance(network, Transcriber)
        (moments,) = self.inputs.sequences([given], ["the input"])
        batch = SequenceBatches([moments], torch.zeros(1), 1, prepare=self.inputs.prepare).of([0])
        steps = ceil(len(moments) / self.options.together)
        seconds = self.inputs.mel.step / self.inputs.mel.rate * self.options.together
        return Case(
            [f"{number * seconds:.2f} s" for number in range(steps)],
            network.body,
            self.predict(network, [given])[0],
            lambda: network(batch.inputs, batch.lengths)[0][:, 0].amax(1).sum(),
        )

    @torch.inference_mode()
    def predict(self, network: nn.Module, inputs: Sequence[Any], **settings: Any) -> list[Any]:
        """Texts; with `times` a `Transcript` each. Long recordings are heard piece by piece."""
        options = Transcribing.of(settings)
        found: list[list[Word]] = [[] for _ in inputs]
        waiting: list[Piece] = []
        for number, given in enumerate(inputs):
            pieces = pieces_of(number, self.inputs.heard(given, f"input {number + 1}"), self.options.together)
            first = next(pieces)
            if first.last or self._whole:
                for piece in chain([first], pieces):
                    waiting.append(piece)
                    if sum(len(each.moments) for each in waiting) >= TOGETHER:
                        self._write(network, waiting, options, found)
                        waiting = []
            else:
                hearing = self.session(network)
                assert isinstance(hearing, Hearing)
                found[number] += hearing.follow((piece.moments for piece in chain([first], pieces)), options)
        self._write(network, waiting, options, found)
        transcripts = [Transcript.of(words) for words in found]
        return transcripts if options.times else [one.text for one in transcripts]

    def _write(
        self, network: nn.Module, pieces: Sequence[Piece], options: Transcribing, found: list[list[Word]]
    ) -> None:
        """Add what is said in pieces to the words of their recordings."""
        if not pieces:
            return
        batches = SequenceBatches(
            [piece.moments for piece in pieces], torch.zeros(len(pieces)), units=AT_ONCE, prepare=self.inputs.prepare
        )
        words: dict[int, Sequence[Word]] = {}
        for batch in batches:
            scores, lengths = network(batch.inputs, batch.lengths)
            for column, row in enumerate(batch.rows):
                scribe = self._scribe(pieces[row].first)
                words[row] = transcript(scores[: lengths[column], column], self._decoding(options), scribe).words
        for row, piece in enumerate(pieces):
            found[piece.recording] += words[row]

    def write(self, network: nn.Module, inputs: Sequence[Any], path: Path, **settings: Any) -> str:
        """Subtitles of one recording."""
        if len(inputs) != 1:
            raise OptionError(
                f"{path.suffix} holds the subtitles of one recording; received {len(inputs):,}; write one file for "
                "each, or answers for all as .csv or .jsonl"
            )
        [found] = self.predict(network, inputs, **settings | {"times": True})
        write_text(path, SUBTITLES[path.suffix.lower()](found.words))
        return f"subtitles of {len(found.words):,} words"

    def save(self, folder: Path) -> None:
        self.tokenizer.save(folder / "tokenizer.json")
        self.options.save_cell(folder)
        self.inputs.save(folder)

    def load(self, folder: Path) -> None:
        self.tokenizer = Tokenizer.load(folder / "tokenizer.json", self.options.units)
        self.inputs = SoundInputs.load(folder)


class Listener(Judge):
    """How many words and characters of transcripts are wrong."""

    def __init__(self, tokenizer: Tokenizer, decoding: Callable[[], Decoding]) -> None:
        self.tokenizer, self.decoding = tokenizer, decoding
        self.total, self.count = 0.0, 0
        self.pairs: dict[int, tuple[str, str]] = {}
        """By row: what was heard, and what was said."""

    def add(self, network: nn.Module, batch: SpeechBatch) -> None:
        scores, lengths = network(batch.inputs, batch.lengths)
        loss = ctc(scores, lengths, batch.targets)
        self.total, self.count = self.total + float(loss.mean) * loss.count, self.count + loss.count
        for column, row in enumerate(batch.rows):
            heard = transcript(scores[: lengths[column], column], self.decoding(), Scribe(self.tokenizer, 1))
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
