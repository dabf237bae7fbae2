"""A transcriber at work while somebody speaks: words as soon as they are certain, in memory that does not grow.

Key: N samples, T moments, F features.
"""

import json
from collections.abc import Iterable, Iterator
from math import isfinite
from typing import Any

import torch
from torch import Tensor

from elman.errors import DataError, OptionError
from elman.models import NEEDS_END
from elman.tasks.task import OneByOne
from elman.tasks.transcribe.hearings import Hearings
from elman.tasks.transcribe.options import Transcribing
from elman.tasks.transcribe.transcript import Transcript, Word

PIECE = 0.1
"""Seconds of a recording that are read at once where words are put out as they come."""


class Hearing:
    """What is said, written down while it is heard: the same as of the whole recording.

    Sound comes in pieces of any size through `hear`, which gives the words that have become complete; `partial` is the
    text so far, `finish` ends it. Or `read` a recording, and `write` goes through it.

    Args:
        hearings: Hears it, beside others or alone.
    """

    def __init__(self, hearings: Hearings) -> None:
        self.hearings, self.inputs = hearings, hearings.inputs
        self.asked: Any = ""
        self._begin(Transcribing())

    def _begin(self, options: Transcribing) -> None:
        self.heard = self.hearings.begin(options)
        self.words: list[Word] = []
        """All that are complete."""

    def hear(self, samples: Any, rate: int) -> list[Word]:
        """Take in the next samples.

        Args:
            samples: (N,) from -1 to 1, a tensor or an array.
            rate: Samples a second, the same at every call.

        Returns:
            Words that are complete now.

        Raises:
            DataError: These are no samples, or the rate is no whole number from 1, or another than before.
        """
        (words,) = self.hearings.hear([self.heard], [_checked(samples)], rate)
        self.words += words
        return words

    @property
    def partial(self) -> str:
        """The text so far; its last word may still go on."""
        return Transcript.of(self.words + self.heard.open).text

    def finish(self) -> Transcript:
        """All that was said; what is heard next begins anew."""
        words = self.words + self.hearings.end(self.heard)
        self._begin(Transcribing())
        return Transcript.of(words)

    def read(self, text: Any) -> None:
        """Take in the path of a recording, or "-" for one that comes in; another one before an answer replaces it."""
        self.asked = text

    def write(self, **settings: Any) -> Iterator[str]:
        """The words as they become certain; with `times` one piece at the end.

        Raises:
            DataError: The recording cannot be read.
            OptionError: A setting is unknown or impossible.
        """
        options = Transcribing.of(settings)
        words = self.follow(self.inputs.heard(self.asked, "the recording", PIECE), options)
        if options.times:
            yield json.dumps(Transcript.of([*words]).as_json(), ensure_ascii=False)
            return
        for number, word in enumerate(words):
            yield f" {word.text}" if number else word.text

    def follow(self, moments: Iterable[Tensor], options: Transcribing) -> Iterator[Word]:
        """The words of a recording, from its moments (T, F) as they come."""
        self._begin(options)
        for some in moments:
            yield from self.hearings.take([self.heard], [some])[0]
        yield from self.hearings.end(self.heard, torch.zeros(0, self.inputs.width))
        self._begin(Transcribing())


class AfterTheEnd(OneByOne):
    """For networks that read whole recordings: they answer when one has come to its end."""

    def hear(self, samples: Any, rate: int) -> list[Word]:
        """What cannot be.

        Raises:
            OptionError: Always; it says why.
        """
        raise OptionError(NEEDS_END)


def _checked(samples: Any) -> Tensor:
    """Samples (N,).

    Raises:
        DataError: They are none.
    """
    try:
        found = torch.as_tensor(samples)
    except (TypeError, ValueError, RuntimeError):
        raise DataError(f"samples expects numbers from -1 to 1; received {samples!r:.40}") from None
    if found.dim() != 1 or not found.is_floating_point():
        raise DataError(
            f"samples expects numbers (N,) from -1 to 1; received {tuple(found.shape)} of {found.dtype}; mix channels, "
            "and divide whole numbers by the largest"
        )
    if not isfinite(found.sum()):
        raise DataError("samples expects numbers; received some that are not finite; leave them away")
    return found.float()
