"""What a network that reads gets to see: numbers of units, of series, images and sounds rows of numbers, or frames.

Key: T steps, F features, H rows of pixels, W pixels in a row, C colours.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any, Literal

import torch
from torch import Tensor

from elman.data import (
    ARRAYS,
    FASTA,
    FILMS,
    IDX,
    IMAGES,
    SOUNDS,
    TABLES,
    Ear,
    Labelled,
    LogMel,
    Scaler,
    Sound,
    Tokenizer,
    as_frames,
    brightness,
    read_json,
    resampled,
    sound_blocks,
    tidy,
    usual_rate,
    write_json,
)
from elman.errors import DataError
from elman.tasks.received import received_numbers, received_sound, received_text
from elman.tasks.sound_options import SoundOptions

AT_ONCE = 64_000
"""Steps that are judged or answered side by side, padding included."""
BLOCK = 10.0
"""Seconds of a recording that are heard at once."""
HEARD = 1000
"""Recordings from which means and deviations are learned, at most."""

Scan = Literal["row", "pixel"]
Side = Literal["start", "end"]


class Inputs(ABC):
    """From what a person gives to what a network reads."""

    width: int
    """How many units there are; or F."""
    at_once: int = AT_ONCE
    """Steps that are judged or answered side by side, padding included."""

    @property
    @abstractmethod
    def ends(self) -> tuple[str, ...]:
        """Ends of the names of files that hold such inputs."""

    @abstractmethod
    def sequences(self, inputs: Sequence[Any], places: Sequence[str]) -> list[Tensor]:
        """Each (T,) of whole numbers, or (T, F).

        Raises:
            DataError: One of them cannot be read.
        """

    def received(self, given: Any) -> Any:
        """What came over a wire, as one of the inputs.

        Raises:
            DataError: It is of another kind.
        """
        return received_text(given)

    def description(self) -> dict[str, Any]:
        """What an input is: `takes`, and its `shape` or `rate`."""
        return {"takes": "text"}

    @abstractmethod
    def sample(self) -> Any:
        """One of the inputs, made up: to try whether all works."""

    def prepare(self, sequence: Tensor) -> Tensor:
        """What becomes of a sequence when it comes into a batch."""
        return sequence

    def steps(self, sequence: Tensor) -> list[str]:
        """What is read at each step of a sequence, for people: its number, where it is nothing else."""
        return [str(number) for number in range(1, len(sequence) + 1)]

    @abstractmethod
    def shown(self, given: Any) -> str:
        """One input for people."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write what was learned."""


class TextInputs(Inputs):
    """Texts, in units."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.width = len(tokenizer)

    @property
    def ends(self) -> tuple[str, ...]:
        return (".txt", *TABLES, *FASTA)

    def sequences(self, inputs: Sequence[Any], places: Sequence[str]) -> list[Tensor]:
        for text, place in zip(inputs, places, strict=True):
            if not isinstance(text, str):
                raise DataError(f"{place} expects a text; received {type(text).__name__}")
            if not text.strip():
                raise DataError(f"{place} is empty; expected a text")
        return self.tokenizer.encode_lines([tidy(text) for text in inputs], "the texts")

    def sample(self) -> str:
        known = list(self.tokenizer.vocabulary)
        return self.tokenizer.decode([self.tokenizer.vocabulary[unit] for unit in known[-4:]]).strip() or "0"

    def steps(self, sequence: Tensor) -> list[str]:
        return [self.tokenizer.decode([number]) for number in sequence.tolist()]

    def numbers(self, units: Sequence[str]) -> list[int]:
        """Of units that there are."""
        known = self.tokenizer.vocabulary
        return [known[unit] for unit in units if unit in known]

    def shown(self, given: Any) -> str:
        return tidy(given)

    def save(self, folder: Path) -> None:
        self.tokenizer.save(folder / "tokenizer.json")


class NumberInputs(Inputs):
    """Series (T, F), or images (H, W, C) read row by row or pixel by pixel, scaled as training showed."""

    def __init__(self, shape: Sequence[int], scan: Scan, scaler: Scaler) -> None:
        self.shape, self.scaler = tuple(shape), scaler
        self.scan: Scan = scan
        self.width = len(scaler.mean)

    @classmethod
    def of(cls, found: Labelled, scan: Scan) -> "NumberInputs":
        """Learn from training inputs."""
        image = found.kind == "image"
        shape = found.inputs[0].shape if image else found.inputs[0].shape[1:]
        flat = [_scanned(one, scan).float() if image else one for one in found.inputs]
        return cls(shape, scan, Scaler.of(flat, together=image))

    @property
    def ends(self) -> tuple[str, ...]:
        return (*(IMAGES + IDX if len(self.shape) == 3 else TABLES), *ARRAYS)

    def sequences(self, inputs: Sequence[Any], places: Sequence[str]) -> list[Tensor]:
        found = []
        for given, place in zip(inputs, places, strict=True):
            try:
                one = torch.as_tensor(given)
            except (TypeError, ValueError, RuntimeError):
                raise DataError(f"{place} expects numbers {self._expected()}; received {given!r:.40}") from None
            one = one.unsqueeze(-1) if one.dim() == len(self.shape) - (len(self.shape) == 3) else one
            received = one.shape if len(self.shape) == 3 else one.shape[1:]
            if tuple(received) != self.shape or not len(one):
                raise DataError(
                    f"{place} has the shape {tuple(one.shape)}; expected {self._expected()}, as in training"
                )
            if one.is_floating_point() and not one.isfinite().all():
                raise DataError(f"{place} has values that are missing or not finite; fill them in")
            found.append(_scanned(one, self.scan) if len(self.shape) == 3 else one)
        return found

    def description(self) -> dict[str, Any]:
        return {"takes": "image" if len(self.shape) == 3 else "numbers", "shape": list(self.shape)}

    def _expected(self) -> str:
        return str(self.shape) if len(self.shape) == 3 else f"(steps, {self.shape[0]})"

    def sample(self) -> Tensor:
        return torch.zeros(self.shape, dtype=torch.uint8) if len(self.shape) == 3 else torch.zeros(3, *self.shape)

    def prepare(self, sequence: Tensor) -> Tensor:
        return self.scaler(sequence.float())

    def received(self, given: Any) -> Any:
        return received_numbers(given, pixels=len(self.shape) == 3)

    def shown(self, given: Any) -> str:
        return f"{tuple(given.shape)} from {given.min():g} to {given.max():g}"

    def save(self, folder: Path) -> None:
        write_json(folder / "inputs.json", {"shape": self.shape, "scan": self.scan, "scaler": self.scaler.as_json()})

    @classmethod
    def load(cls, folder: Path) -> "NumberInputs":
        """Read what `save` wrote."""
        value = read_json(folder / "inputs.json")
        return cls(value["shape"], value["scan"], Scaler.from_json(value["scaler"]))


class SoundInputs(Inputs):
    """Recordings: the power in each band, moment by moment, scaled as training showed or each by itself."""

    def __init__(self, rate: int, bands: int, scaler: Scaler | None) -> None:
        self.mel, self.width = LogMel(rate, bands), bands
        self.scaler = scaler
        """None: that of each recording by itself."""
        self._known: dict[int, tuple[Any, Tensor]] = {}
        """Recordings that were heard to learn the scaler, and their moments: they need not be heard again."""

    @classmethod
    def of(cls, found: Labelled, options: SoundOptions) -> "SoundInputs":
        """Learn from training inputs; the rate too, where nothing is said."""
        inputs = cls(options.rate or usual_rate(found.inputs), options.bands, None)
        if options.normalise == "training":
            rows = range(0, len(found), -(-len(found) // HEARD))
            some = [found.inputs[row] for row in rows]
            moments = inputs.sequences(some, [found.place(row) for row in rows])
            inputs.scaler = Scaler.of(moments)
            inputs._known = {id(sound): (sound, heard) for sound, heard in zip(some, moments, strict=True)}
        return inputs

    @property
    def ends(self) -> tuple[str, ...]:
        return SOUNDS

    def sequences(self, inputs: Sequence[Any], places: Sequence[str]) -> list[Tensor]:
        return [self._whole(given, place) for given, place in zip(inputs, places, strict=True)]

    def _whole(self, given: Any, place: str) -> Tensor:
        _, known = self._known.pop(id(given), (None, None))
        return torch.cat([*self.heard(given, place)]) if known is None else known

    def at_speeds(self, sounds: Sequence[Sound], spread: float) -> Callable[[int, int], Tensor] | None:
        """How recordings are heard in an epoch, by their number and its own (Ko et al. 2015).

        Args:
            sounds: The recordings.
            spread: They are played up to so much faster or slower, and higher or lower; None comes of 0.
        """

        def heard(row: int, epoch: int) -> Tensor:
            speed = Random(f"{row} {epoch}").uniform(1 - spread, 1 + spread)
            return self.mel(resampled(sounds[row].samples, round(sounds[row].rate * speed), self.mel.rate))

        return heard if spread else None

    def heard(self, given: Any, place: str, seconds: float = BLOCK) -> Iterator[Tensor]:
        """The moments (T, F) of a recording, or of the file at a path, as they come; so many seconds are read at once.

        Raises:
            DataError: It cannot be read, or there is no sound in it.
        """
        ear = Ear(self.mel)
        for block in _blocks(given, place, seconds):
            yield ear.hear(block.samples, block.rate)
        last = ear.end()
        if not (ear.begun or len(last)):
            raise DataError(f"{place} has no sound in it at {self.mel.rate:,} Hz; expected one sample or more")
        yield last

    def sample(self) -> Sound:
        return Sound(torch.zeros(self.mel.rate), self.mel.rate)

    def prepare(self, sequence: Tensor) -> Tensor:
        return (self.scaler or Scaler.of([sequence]))(sequence)

    def description(self) -> dict[str, Any]:
        return {"takes": "sound", "rate": self.mel.rate}

    def steps(self, sequence: Tensor) -> list[str]:
        return [f"{moment * self.mel.step / self.mel.rate:.2f} s" for moment in range(len(sequence))]

    def received(self, given: Any) -> Any:
        return received_sound(given)

    def shown(self, given: Any) -> str:
        return f"{given.seconds:.2f} s at {given.rate:,} Hz"

    def save(self, folder: Path) -> None:
        scaler = self.scaler and self.scaler.as_json()
        write_json(folder / "sound.json", {"rate": self.mel.rate, "bands": self.mel.bands, "scaler": scaler})

    @classmethod
    def load(cls, folder: Path) -> "SoundInputs":
        """Read what `save` wrote."""
        value = read_json(folder / "sound.json")
        return cls(value["rate"], value["bands"], value["scaler"] and Scaler.from_json(value["scaler"]))


def _blocks(given: Any, place: str, seconds: float) -> Iterator[Sound]:
    if isinstance(given, str | Path):
        yield from sound_blocks(Path(given), seconds)
    elif isinstance(given, Sound):
        yield from (Sound(part, given.rate) for part in given.samples.split(max(1, round(seconds * given.rate))))
    else:
        raise DataError(f"{place} expects a recording or its path; received {type(given).__name__}")


class VideoInputs(Inputs):
    """Videos, frame by frame.

    Args:
        shape: (H, W, C).
        size: H and W that files are made to; None where all must be alike.
        every: One of so many frames of a file is read.
    """

    at_once = 1000

    def __init__(self, shape: Sequence[int], size: tuple[int, int] | None, every: int) -> None:
        self.shape, self.width, self.size, self.every = tuple(shape), shape[2], size, every

    @property
    def ends(self) -> tuple[str, ...]:
        return (*FILMS, *ARRAYS)

    def sequences(self, inputs: Sequence[Any], places: Sequence[str]) -> list[Tensor]:
        return [
            as_frames(one, self.shape, place, self.size, self.every) for one, place in zip(inputs, places, strict=True)
        ]

    def description(self) -> dict[str, Any]:
        return {"takes": "frames", "shape": list(self.shape)}

    def sample(self) -> Tensor:
        return torch.zeros(3, *self.shape, dtype=torch.uint8)

    def prepare(self, sequence: Tensor) -> Tensor:
        return brightness(sequence)

    def received(self, given: Any) -> Any:
        return received_numbers(given, pixels=True)

    def shown(self, given: Any) -> str:
        return f"{len(given)} frames of {tuple(given.shape[1:])}"

    def save(self, folder: Path) -> None:
        write_json(folder / "video.json", {"shape": self.shape, "size": self.size, "every": self.every})

    @classmethod
    def load(cls, folder: Path) -> "VideoInputs":
        """Read what `save` wrote."""
        value = read_json(folder / "video.json")
        return cls(value["shape"], value["size"] and tuple(value["size"]), value["every"])


def _scanned(image: Tensor, scan: Scan) -> Tensor:
    """An image (H, W, C) as a sequence of rows (H, W C), or of pixels (H W, C)."""
    return image.flatten(1) if scan == "row" else image.flatten(0, 1)
