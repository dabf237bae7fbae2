"""Language models at work: they remember what they have read, and write on, one text or many side by side.

Key: V vocabulary.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from elman.data import Tokenizer
from elman.errors import RunError
from elman.layers import LayerState, Recurrent, join_states, state_of_row
from elman.models import LanguageModel
from elman.tasks.decoding import sample
from elman.tasks.generate.options import Writing, generator_of
from elman.tasks.generate.pen import Pen

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
        assert isinstance(network.body, Recurrent)
        self.state: LayerState = network.body.initial_state(1)
        self.scores: Tensor | None = None
        """(1, V), of the unit that comes next."""
        self.end = end
        self.writing = Writing()
        self.pen: Pen | None = None
        """What writes; None where nothing is being written."""
        if end:
            self.read("\n")

    def read(self, text: str) -> None:
        """Take a text in.

        Raises:
            DataError: It has units that the model does not know.
        """
        for part in self.parts(text):
            self.step(part)

    def parts(self, text: str) -> Sequence[Tensor]:
        """A text as numbers of units, in parts that are to be read one after the other with `step`.

        Raises:
            DataError: It has units that the model does not know.
        """
        numbers = self.tokenizer.encode(text, source="the prompt")
        if len(numbers):
            self.decoder.follow(text)
        return numbers.split(STEPS_AT_ONCE) if len(numbers) else ()

    @torch.inference_mode()
    def step(self, numbers: Tensor) -> None:
        """Take numbers of units in."""
        self.scores, self.state = self.network.next_scores(numbers.unsqueeze(1), self.state)

    def begin(self, **settings: Any) -> None:
        """Begin an answer, which `write_on` writes unit by unit.

        Args:
            settings: Those of `Writing`: length, temperature, top_k, top_p, stop.

        Raises:
            OptionError: A setting is unknown or impossible.
        """
        self.writing = Writing.of(settings)
        length = LENGTH if self.writing.length is None else self.writing.length
        stops = dict.fromkeys(stop for stop in (self.end, self.writing.stop) if stop)
        self.pen = Pen([*stops], length) if length else None

    def write(self, **settings: Any) -> Iterator[str]:
        """Write on, piece by piece; settings as in `begin`.

        Raises:
            OptionError: A setting is unknown or impossible.
        """
        self.begin(**settings)
        return self._pieces()

    def _pieces(self) -> Iterator[str]:
        while self.pen is not None:
            (piece,) = write_on([self], [self.draw()])
            if piece:
                yield piece

    def draw(self) -> int:
        """The next unit, by chance.

        Raises:
            RunError: A score is not a number.
        """
        scores = torch.zeros(1, len(self.tokenizer)) if self.scores is None else self.scores
        try:
            return int(sample(scores, self.writing, self.generator))
        except RuntimeError as error:
            raise RunError("scores are too large for chances: the weights or the state are damaged") from error

    def put(self, number: int) -> str:
        """Write a unit down: what there is to show now."""
        assert self.pen is not None
        piece = self.pen.put(self.decoder.put(self.tokenizer.backend.id_to_token(number) or ""))
        self.pen = None if self.pen.done else self.pen
        return piece


@torch.inference_mode()
def write_on(sessions: Sequence[Session], numbers: Sequence[int]) -> list[str]:
    """The units that were drawn for sessions, all in one step of the network: what there is to show of each.

    >>> write_on([], [])
    []
    """
    if sessions:
        _step(sessions, numbers)
    return [session.put(number) for session, number in zip(sessions, numbers, strict=True)]


def write_all(sessions: Sequence[Session], **settings: Any) -> list[str]:
    """An answer of each, written side by side; settings as in `Session.begin`.

    Raises:
        OptionError: A setting is unknown or impossible.
    """
    for session in sessions:
        session.begin(**settings)
    texts = [""] * len(sessions)
    while rows := [row for row, session in enumerate(sessions) if session.pen is not None]:
        going = [sessions[row] for row in rows]
        for row, piece in zip(rows, write_on(going, [session.draw() for session in going]), strict=True):
            texts[row] += piece
    return texts


def _step(sessions: Sequence[Session], numbers: Sequence[int]) -> None:
    """Take in one unit each."""
    state = join_states([session.state for session in sessions])
    scores, after = sessions[0].network.next_scores(torch.tensor([numbers]), state)
    for row, session in enumerate(sessions):
        session.scores = scores[row : row + 1].clone()
        session.state = state_of_row(after, row)
