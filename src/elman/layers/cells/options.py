"""One check for every option that is a word."""

from collections.abc import Iterable

from elman.errors import OptionError, suggestion


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
