"""Sounds that are written down side by side while they last.

Key: N samples, T moments, F features.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from elman.data import Ear
from elman.models import LiveTranscriber, Progress, Transcriber
from elman.tasks.inputs import SoundInputs
from elman.tasks.transcribe.options import Transcribing
from elman.tasks.transcribe.transcript import Decoding, Scribe, Word


@dataclass(eq=False)
class Heard:
    """A sound, as far as it has come."""

    ear: Ear
    progress: Progress
    decoding: Decoding
    scribe: Scribe

    @property
    def open(self) -> list[Word]:
        """What follows the words that are complete, as it looks by now."""
        return self.scribe.end(self.decoding.likely)


class Hearings:
    """Any number of sounds, in the ears of one network.

    Args:
        network: Reads from one end.
        inputs: What it gets to see.
        decoding: Makes what finds units in scores, by the settings of an answer.
        scribe: Makes what writes them down.

    Raises:
        OptionError: The network reads whole recordings.
    """

    def __init__(
        self,
        network: Transcriber,
        inputs: SoundInputs,
        decoding: Callable[[Transcribing], Decoding],
        scribe: Callable[[], Scribe],
    ) -> None:
        self.live, self.inputs = LiveTranscriber(network), inputs
        self._decoding, self._scribe = decoding, scribe

    def begin(self, options: Transcribing) -> Heard:
        """A new sound."""
        return Heard(Ear(self.inputs.mel), self.live.begin(), self._decoding(options), self._scribe())

    def hear(self, sounds: Sequence[Heard], pieces: Sequence[Tensor], rate: int) -> list[list[Word]]:
        """The next samples (N,) of each -> the words that they complete.

        Raises:
            DataError: The rate is another than before.
        """
        windows = [sound.ear.windows(piece, rate) for sound, piece in zip(sounds, pieces, strict=True)]
        moments = self.inputs.mel.of(torch.cat(windows)).split([len(each) for each in windows])
        return self.take(sounds, moments)

    def take(self, sounds: Sequence[Heard], moments: Sequence[Tensor]) -> list[list[Word]]:
        """The next moments (T, F) of each -> the words that they complete."""
        x = [self.inputs.prepare(each) for each in moments]
        scores = self.live.read([sound.progress for sound in sounds], x)
        return [
            sound.scribe.put(sound.decoding.read(some)) if len(some) else []
            for sound, some in zip(sounds, scores, strict=True)
        ]

    def end(self, sound: Heard, moments: Tensor | None = None) -> list[Word]:
        """The words that are still to come, as nothing more does.

        Args:
            sound: It has come to its end.
            moments: The last ones (T, F); those that waited for more samples when omitted.
        """
        (words,) = self.take([sound], [sound.ear.end() if moments is None else moments])
        words += sound.scribe.put(sound.decoding.read(self.live.end(sound.progress)))
        return words + sound.open
