"""What a network that reads gets to see: numbers of units, of series, images and sounds rows of numbers, or frames.

Key: T steps, F features, H rows of pixels, W pixels in a row, C colours.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from elman.data import (
    Labelled,
    LogMel,
    Scaler,
    Sound,
    Tokenizer,
    as_frames,
    brightness,
    read_clip,
    read_json,
    read_sound,
    resampled,
    tidy,
    write_json,
)
from elman.errors import DataError

AT_ONCE = 64_000
"""Steps that are judged or answered side by side, padding included."""
HIGHEST_RATE = 16_000
"""Samples a second that are listened to, where nothing is said and the recordings have more."""
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

    @abstractmethod
    def sequences(self, inputs: Sequence[Any], places: Sequence[str]) -> list[Tensor]:
        """Each (T,) of whole numbers, or (T, F).

        Raises:
            DataError: One of them cannot be read.
        """

    def prepare(self, sequence: Tensor) -> Tensor:
        """What becomes of a sequence when it comes into a batch."""
        return sequence

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

    def sequences(self, inputs: Sequence[Any], places: Sequence[str]) -> list[Tensor]:
        for text, place in zip(inputs, places, strict=True):
            if not isinstance(text, str):
                raise DataError(f"{place} expects a text; received {type(text).__name__}")
            if not text.strip():
                raise DataError(f"{place} is empty; expected a text")
        return self.tokenizer.encode_lines([tidy(text) for text in inputs], "the texts")

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

    def _expected(self) -> str:
        return str(self.shape) if len(self.shape) == 3 else f"(steps, {self.shape[0]})"

    def prepare(self, sequence: Tensor) -> Tensor:
        return self.scaler(sequence.float())

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
    """Recordings: the power in each band, moment by moment, scaled as training showed."""

    def __init__(self, rate: int, bands: int, scaler: Scaler) -> None:
        self.mel, self.scaler, self.width = LogMel(rate, bands), scaler, bands

    @classmethod
    def of(cls, sounds: Sequence[Sound], rate: int | None, bands: int) -> "SoundInputs":
        """Learn from training inputs; the rate too, where nothing is said: the commonest, but no more than needed."""
        if rate is None:
            rate = min(Counter(sound.rate for sound in sounds).most_common(1)[0][0], HIGHEST_RATE)
        mel = LogMel(rate, bands)
        some = sounds[:: -(-len(sounds) // HEARD)]
        return cls(rate, bands, Scaler.of([mel(resampled(one.samples, one.rate, rate)) for one in some]))

    def sequences(self, inputs: Sequence[Any], places: Sequence[str]) -> list[Tensor]:
        found = []
        for given, place in zip(inputs, places, strict=True):
            sound = read_sound(Path(given)) if isinstance(given, str | Path) else given
            if not isinstance(sound, Sound):
                raise DataError(f"{place} expects a recording or its path; received {type(given).__name__}")
            samples = resampled(sound.samples, sound.rate, self.mel.rate)
            if not len(samples):
                raise DataError(f"{place} has no sound in it at {self.mel.rate:,} Hz; expected one sample or more")
            found.append(self.mel(samples))
        return found

    def prepare(self, sequence: Tensor) -> Tensor:
        return self.scaler(sequence)

    def shown(self, given: Any) -> str:
        return f"{given.seconds:.2f} s at {given.rate:,} Hz"

    def save(self, folder: Path) -> None:
        value = {"rate": self.mel.rate, "bands": self.mel.bands, "scaler": self.scaler.as_json()}
        write_json(folder / "sound.json", value)

    @classmethod
    def load(cls, folder: Path) -> "SoundInputs":
        """Read what `save` wrote."""
        value = read_json(folder / "sound.json")
        return cls(value["rate"], value["bands"], Scaler.from_json(value["scaler"]))


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

    def sequences(self, inputs: Sequence[Any], places: Sequence[str]) -> list[Tensor]:
        read = (self._read(one) if isinstance(one, str | Path) else one for one in inputs)
        return [as_frames(one, self.shape, place) for one, place in zip(read, places, strict=True)]

    def _read(self, path: str | Path) -> Tensor:
        return read_clip(Path(path), self.size, self.every).frames

    def prepare(self, sequence: Tensor) -> Tensor:
        return brightness(sequence)

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
