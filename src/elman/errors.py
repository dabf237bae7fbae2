"""Every exception that Elman raises, in one tree.

    ElmanError
    ├── ShapeError       a tensor, a length or a state that does not fit (also a ValueError)
    ├── CellError        a cell that breaks the one-step contract (also a TypeError)
    ├── OptionError      an unknown or impossible option in a recipe, a call or a command (also a ValueError)
    ├── DataError        a file or text that cannot be used as data (also a ValueError)
    ├── RunError         a run folder that is missing, damaged, foreign or in use
    ├── Refused          a cell that the engine cannot fuse, with the reason; `scan` runs it step by step instead
    │   └── PlanError    the engine's own mistake: a plan that is not well-formed
    ├── ServerError      a server that refuses, or does not answer
    ├── Interrupted      training stopped from outside, after saving how far it had come
    └── MissingExtra     an optional library that is not installed (also an ImportError)

A message is one line: what is wrong, what was expected, what came, and the way out.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from importlib import import_module
from typing import Any


class ElmanError(Exception):
    """The root: `except ElmanError` catches whatever Elman itself finds wrong."""


class ShapeError(ElmanError, ValueError):
    """A tensor, a length or a state does not fit."""


class CellError(ElmanError, TypeError):
    """A cell breaks the one-step contract."""


class OptionError(ElmanError, ValueError):
    """An option is unknown or its value is impossible."""


class DataError(ElmanError, ValueError):
    """A file or a text cannot be used as data."""


class RunError(ElmanError):
    """A run folder is missing, damaged, foreign or in use."""


class Refused(ElmanError):
    """The engine cannot fuse a cell; the message is the reason."""


class PlanError(Refused):
    """A plan is not well-formed: a mistake of the engine. The cell runs step by step, and the message says why."""


class ServerError(ElmanError):
    """A server refuses, in its own words, or does not answer.

    Args:
        words: What is wrong.
        status: HTTP's number for it; None where there was no answer.
        retry_after: Seconds after which to ask again, where the server says so.
    """

    def __init__(self, words: str, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(words)
        self.status, self.retry_after = status, retry_after


class Interrupted(ElmanError):
    """Training was stopped from outside; how far it had come is saved."""


class MissingExtra(ElmanError, ImportError):
    """An optional library is not installed."""

    def __init__(self, library: str, extra: str) -> None:
        super().__init__(f"{library} is not installed, and this needs it; try: pip install 'elman[{extra}]'")


def optional(module: str, library: str, extra: str) -> Any:
    """An optional library's module.

    Args:
        module: What is imported.
        library: What people call it.
        extra: Elman's extra that brings it.

    Raises:
        MissingExtra: It is not installed.
    """
    try:
        return import_module(module)
    except ImportError:
        raise MissingExtra(library, extra) from None


def suggestion(word: str, known: Iterable[str]) -> str:
    """The tail of a message about an unknown word: the nearest known one, or all of them.

    >>> suggestion("lsmt", ["lstm", "gru"])
    "did you mean 'lstm'?"
    >>> suggestion("x", ["lstm", "gru"])
    'expected one of: gru, lstm'
    """
    known = sorted(known)
    near = get_close_matches(word, known, n=1)
    return f"did you mean '{near[0]}'?" if near else f"expected one of: {', '.join(known)}"


def check_option(name: str, value: str, known: Iterable[str]) -> None:
    """Accept a known word.

    Raises:
        OptionError: The word is none of the known ones.

    Example:
        >>> check_option("reset", "befor", ["before", "after"])
        Traceback (most recent call last):
        ...
        elman.errors.OptionError: reset cannot be 'befor'; did you mean 'before'?
    """
    known = list(known)
    if value not in known:
        raise OptionError(f"{name} cannot be {value!r}; {suggestion(str(value), known)}")
