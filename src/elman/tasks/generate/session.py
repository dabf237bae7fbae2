"""A language model at work: it remembers what it has read, and writes on."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from elman.data import Tokenizer
from elman.layers import LayerState
from elman.models import LanguageModel
from elman.tasks.decoding import sample
from elman.tasks.generate.options import Writing, generator_of

STEPS_AT_ONCE = 256
"""A long prompt is read in parts, so that memory does not grow with it."""

LENGTH = 500
"""Units that are written at most, when nothing is said."""


class Session:
    """One text in the making; its state stays between calls, in memory that does not grow.

    Args:
        network: A trained model.
        tokenizer: Its units.
        seed: Where the randomness starts; the same seed writes the same text.
        end: The model was trained on examples that end so: it begins behind the end of a line, and stops at this.

    Raises:
        OptionError: The seed is no whole number from 0.
    """

    def __init__(self, network: LanguageModel, tokenizer: Tokenizer, seed: int = 0, *, end: str = "") -> None:
        self.network = network.eval()
        self.tokenizer = tokenizer
        self.decoder = tokenizer.decoder()
        self.generator = generator_of(seed)
        self.state: LayerState | None = None
        self.scores: Tensor | None = None
        """(1, V), of the unit that comes next."""
        self.end = end
        if end:
            self.read("\n")

    @torch.inference_mode()
    def read(self, text: str) -> None:
        """Take a text in.

        Raises:
            DataError: It has units that the model does not know.
        """
        numbers = self.tokenizer.encode(text, source="the prompt")
        if not len(numbers):
            return
        for part in numbers.split(STEPS_AT_ONCE):
            self._step(part)
        self.decoder.follow(text)

    def _step(self, numbers: Tensor) -> None:
        scores, self.state = self.network(numbers.unsqueeze(1), self.state)
        self.scores = scores[-1]

    def write(self, **settings: Any) -> Iterator[str]:
        """Write on, piece by piece.

        Args:
            settings: Those of `Writing`: length, temperature, top_k, top_p, stop.

        Raises:
            OptionError: A setting is unknown or impossible.
        """
        writing = Writing.of(settings)
        pieces = self.tokenizer.stream(self._numbers(writing), self.decoder)
        for stop in (self.end, writing.stop):
            pieces = until(pieces, stop) if stop else pieces
        return pieces

    def _numbers(self, writing: Writing) -> Iterator[int]:
        for _ in range(LENGTH if writing.length is None else writing.length):
            with torch.inference_mode():
                if self.scores is None:  # nothing read yet: any unit may come first
                    self.scores = torch.zeros(1, len(self.tokenizer))
                number = sample(self.scores, writing, self.generator)
                self._step(number)
            yield int(number)


def until(pieces: Iterator[str], stop: str) -> Iterator[str]:
    """Pass text on, up to but without `stop`, which may be spread over several pieces.

    >>> "".join(until(iter(["one t", "w", "o three"]), "two"))
    'one '
    """
    held = ""
    for piece in pieces:
        held += piece
        if stop in held:
            yield held[: held.index(stop)]
            return
        # what might be the beginning of `stop` waits for more
        wait = next((n for n in range(min(len(stop) - 1, len(held)), 0, -1) if held.endswith(stop[:n])), 0)
        if len(held) > wait:
            yield held[: len(held) - wait]
            held = held[len(held) - wait :]
    if held:
        yield held
