"""Sounds: learn which sample comes next, and make more of them (as WaveRNN, Kalchbrenner et al. 2018).

Key: N samples.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from math import log
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.data import (
    IGNORE,
    LEVELS,
    SOUNDS,
    Named,
    Sound,
    Source,
    Window,
    Windows,
    from_mu_law,
    made_calls,
    mu_law,
    read_json,
    read_sounds,
    resampled,
    usual_rate,
    write_json,
    write_sound,
)
from elman.errors import DataError, OptionError
from elman.layers import LayerState
from elman.models import LanguageModel
from elman.tasks.decoding import sample
from elman.tasks.generate.base import Expectation, GenerateTask
from elman.tasks.generate.options import Writing, generator_of
from elman.tasks.inspection.case import Case
from elman.tasks.received import received_sound
from elman.tasks.task import Examples, Loss, refuse_settings
from elman.tasks.unusual import Threshold

BORDER = LEVELS
"""The number that stands between recordings."""
SAMPLES_IN_A_ROW = 200_000
"""What is judged is read in rows side by side; each starts without memory."""
MADE = 100
"""Telephone numbers in tones to learn from, when nothing is given."""
LOOKED_AT = 1000
"""Samples of a sound that are looked at, at most."""
MOMENT = 0.01
"""Seconds whose samples are judged together, where unusual ones are sought."""
AT_ONCE = 4096
"""Samples of a given sound that are read at once."""


class Sounds(GenerateTask):
    """Samples of recordings, one after the other, in 256 steps of loudness."""

    saved: ClassVar[str] = "sound.json"
    files: ClassVar[tuple[str, ...]] = (".wav", ".flac")
    answers_with: ClassVar[str] = "samples"
    acting = ("temperature", "top_k", "top_p", "length", "unusual")
    taught: ClassVar[bool] = False

    rate: int
    """Samples a second."""
    threshold: Threshold | None = None
    """Of moments that are unusual; known once training has ended."""

    def read(self, train: Path | None, valid: Path | None, start: Path | None = None) -> Examples:
        found = made_calls(MADE) if train is None else read_sounds(train)
        found, others = found.split() if valid is None else (found, read_sounds(valid))
        if start is None:
            self.rate = self.options.rate or usual_rate(found.inputs)
        else:
            self.load(start)
        numbers, held_out = self._numbers(found.inputs), self._numbers(others.inputs)
        note = (f"no recordings given: learning to make {len(found):,} telephone numbers in tones",)
        return Examples(
            train=Windows(numbers, self.options.batch_size, self.options.window, name="the recordings"),
            valid=_to_judge(held_out),
            notes=(*(note if train is None else found.notes), *others.notes),
            rows=tuple(f"{one.seconds:.2f} s at {one.rate:,} Hz" for one in found.inputs[:3]),
            facts={
                "training recordings": len(found),
                "validation recordings": len(others),
                "training samples": len(numbers),
                "rate": self.rate,
            },
            fingerprint=found.fingerprint + others.fingerprint,
        )

    def _numbers(self, sounds: Sequence[Sound]) -> Tensor:
        """All samples (N,), with a border before each recording and at the end."""
        border = torch.tensor([BORDER])
        parts = [part for one in sounds for part in (border, self._encoded(one))]
        return torch.cat([*parts, border])

    def _encoded(self, sound: Sound) -> Tensor:
        return mu_law(resampled(sound.samples, sound.rate, self.rate))

    def read_to_score(self, path: Path) -> Windows:
        return _to_judge(self._numbers(read_sounds(path).inputs))

    @property
    def uploads(self) -> tuple[str, ...]:
        return SOUNDS

    def read_inputs(self, path: Source) -> Named:
        return read_sounds(path).named

    def received(self, given: Any) -> Any:
        return "" if given == "" else received_sound(given)

    def description(self) -> dict[str, Any]:
        return {"takes": "sound", "rate": self.rate}

    def network(self) -> LanguageModel:
        return self.options.language_model(LEVELS + 1)

    def loss(self, network: nn.Module, batch: Window, state: LayerState | None) -> Loss:
        assert isinstance(network, LanguageModel)
        mean, state = network.loss(batch.inputs, batch.targets, IGNORE, state)
        return Loss(mean, int((batch.targets != IGNORE).sum()), state)

    def judge(self, **settings: Any) -> "Ear":
        refuse_settings(settings)
        return Ear(self)

    def settle(self, network: nn.Module, valid: Any, folder: Path) -> None:
        """Learn which moments are usual, and let a person hear what was learned."""
        errors = [self._moments(nats) for nats in _surprises(network, valid)]
        self.threshold = Threshold.of(torch.cat(errors))
        self.threshold.save(folder)
        write_sound(folder / "sounds" / "sample.wav", self._made(network, "", Writing(temperature=1.0), 0), self.rate)

    @torch.inference_mode()
    def predict(self, network: nn.Module, inputs: Sequence[Any], *, seed: int = 0, **settings: Any) -> list[Any]:
        """For each recording, a path or a `Sound` or nothing, the samples that come next, from -1 to 1.

        With `unusual`, for each moment of 10 ms how surprising its samples are, in nats a sample, and whether that is
        unusual.
        """
        writing = self.writing(settings)
        if writing.unusual:
            return [self._judged(network, given) for given in inputs]
        return [self._made(network, given, writing, seed).tolist() for given in inputs]

    def case(self, network: nn.Module, given: Any) -> Case:
        """How sure it is of the sample that comes next, behind the last ones of a sound."""
        assert isinstance(network, LanguageModel)
        numbers = mu_law(self._given(given))[-LOOKED_AT:]
        if not len(numbers):
            raise DataError("the input has no sound in it; expected a sample or more")

        def score() -> Tensor:
            return network(numbers.unsqueeze(1))[0][-1, 0, :LEVELS].log_softmax(0)

        with torch.no_grad():
            best = int(score().argmax())
        steps = [f"{step / self.rate:.4f} s" for step in range(len(numbers))]
        return Case(steps, network.body, float(from_mu_law(torch.tensor(best))), lambda: score()[best])

    def _judged(self, network: nn.Module, given: Any) -> list[dict[str, Any]]:
        threshold = Threshold.wanted(self.threshold)
        border = torch.tensor([BORDER])
        numbers = torch.cat([border, mu_law(self._given(given)), border])
        (nats,) = _surprises(network, Windows(numbers, 1, AT_ONCE, keep_all=True, name="the sound"))
        errors = self._moments(nats[:-1]).tolist()
        return [
            {
                "second": round(number * self._moment / self.rate, 3),
                "error": round(error, 4),
                "unusual": threshold.judge(error),
            }
            for number, error in enumerate(errors)
        ]

    def _moments(self, nats: Tensor) -> Tensor:
        """The mean of each whole moment, of nats (N,) a sample."""
        return nats.unfold(0, self._moment, self._moment).mean(1) if len(nats) >= self._moment else nats[:0]

    @property
    def usual_length(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        """A second."""
        return self.rate

    @property
    def _moment(self) -> int:
        """Samples."""
        return round(self.rate * MOMENT)

    def _given(self, given: Any) -> Tensor:
        """Its samples (N,) at the model's rate."""
        if isinstance(given, str) and not given:
            return torch.zeros(0)
        sound = self.only_one(read_sounds(Path(given)).inputs, Path(given)) if isinstance(given, str | Path) else given
        if not isinstance(sound, Sound):
            raise DataError(f"expected a recording or its path; received {type(given).__name__}")
        return resampled(sound.samples, sound.rate, self.rate)

    @torch.inference_mode()
    def _made(self, network: nn.Module, given: Any, writing: Writing, seed: int) -> Tensor:
        """The samples (N,) that come next."""
        assert isinstance(network, LanguageModel)
        generator, border = generator_of(seed), torch.tensor([BORDER])
        numbers = torch.cat([border, mu_law(self._given(given))])
        length = self.rate if writing.length is None else writing.length
        found = list(islice(_numbers(network, numbers, writing, generator), length))
        return from_mu_law(torch.tensor(found, dtype=torch.long))

    @torch.inference_mode()
    def write(self, network: nn.Module, inputs: Sequence[Any], path: Path, *, seed: int = 0, **settings: Any) -> str:
        """A recording and how it goes on, as WAV or FLAC."""
        writing = self.writing(settings)
        if writing.unusual:
            raise OptionError(f"{path.suffix} holds sound; write what is unusual as .jsonl")
        given = self.only_one(inputs, path)
        samples = torch.cat([self._given(given), self._made(network, given, writing, seed)])
        write_sound(path, samples, self.rate)
        return f"{len(samples) / self.rate:.2f} s"

    def save(self, folder: Path) -> None:
        self.options.save_cell(folder)
        write_json(folder / self.saved, {"rate": self.rate})

    def load(self, folder: Path) -> None:
        self.rate = read_json(folder / self.saved)["rate"]
        self.threshold = Threshold.load(folder)


@torch.inference_mode()
def _surprises(network: nn.Module, windows: Windows) -> list[Tensor]:
    """Nats of every number but the first of each row, (N,) a row, each given all before it."""
    assert isinstance(network, LanguageModel)
    found, state = [], None
    for window in windows:
        scores, state = network(window.inputs, None if window.fresh else state)
        found.append(F.cross_entropy(scores.transpose(1, 2), window.targets, ignore_index=IGNORE, reduction="none"))
    return [row[row_there] for row, row_there in zip(torch.cat(found).T, (windows.targets != IGNORE).T, strict=True)]


def _to_judge(numbers: Tensor) -> Windows:
    rows = -(-len(numbers) // SAMPLES_IN_A_ROW)
    return Windows(numbers, rows, AT_ONCE, keep_all=True, name="the recordings")


def _numbers(network: LanguageModel, given: Tensor, writing: Writing, generator: torch.Generator) -> Iterator[int]:
    """Numbers that come after others, up to the end of a recording."""
    scores, state = network(given[:1].unsqueeze(1))
    for part in given[1:].split(AT_ONCE) if len(given) > 1 else ():
        scores, state = network(part.unsqueeze(1), state)
    while (number := sample(scores[-1], writing, generator)) != BORDER:
        yield int(number)
        scores, state = network(number.unsqueeze(1), state)


class Ear(Expectation):
    """How well samples are expected."""

    def scores(self) -> dict[str, float]:
        return {"loss": self.loss.mean, "bits_per_sample": self.loss.mean / log(2)}
