"""A translator at work, turn by turn: in a dialogue it reads what was said before."""

from collections.abc import Callable, Iterator
from typing import Any

from elman.data import join_turns, tidy
from elman.errors import OptionError


class Dialogue:
    """Reads a text and answers it, again and again; as many earlier turns count as in training.

    Args:
        answer: From a source and settings to the best answer.
        history: Earlier turns that stand before a source.
        seed: Where the randomness starts, if answers are drawn.
    """

    def __init__(self, answer: Callable[..., str], history: int, seed: int = 0) -> None:
        self.answer, self.history, self.seed = answer, history, seed
        self.turns: list[tuple[str, str]] = []
        self.asked: str | None = None

    def read(self, text: str) -> None:
        """Take an input in; another one before an answer replaces it."""
        self.asked = tidy(text)

    def write(self, **settings: Any) -> Iterator[str]:
        """The answer to what was read, as one piece: a search is over only at its end.

        Args:
            settings: Those of `Searching`.

        Raises:
            OptionError: Nothing was read, or a setting is impossible.
            DataError: What was read is empty, or cannot be read.
        """
        if self.asked is None:
            raise OptionError("there is nothing to answer; read a text first")
        source = join_turns([*(said for turn in self.turns for said in turn), self.asked]) if self.asked else ""
        answer = self.answer(source, **{"seed": self.seed} | settings)
        self.turns = [*self.turns, (self.asked, answer)][-self.history :] if self.history else []
        self.asked, self.seed = None, self.seed + 1
        yield answer
