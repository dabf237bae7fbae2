"""Texts to learn from: where they come from and how they are split."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from elman.data.files import read_text
from elman.errors import DataError

VALIDATION_SHARE = 0.1


@dataclass(frozen=True)
class Texts:
    """A training and a validation text, and what a person should know about them."""

    train: str
    valid: str
    notes: tuple[str, ...] = ()

    def named(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """Both texts with what to call them in a message."""
        return (self.train, "the training text"), (self.valid, "the validation text")

    @property
    def fingerprint(self) -> str:
        """Tells whether a later call reads the same texts."""
        return hashlib.sha256(f"{len(self.train)}:{self.train}{self.valid}".encode()).hexdigest()


def read_texts(train: Path | None, valid: Path | None, *, whole_lines: bool = False) -> Texts:
    """The texts of two files; the last tenth of the first where there is no second.

    With no file at all: English text that every Python carries.

    Args:
        train: The training text.
        valid: The validation text.
        whole_lines: Split after the end of a line, where there is one nearby, so that no word is cut in two.

    Raises:
        DataError: A file cannot be used.
    """
    notes = []
    if train is None:
        text = embedded_text()
        notes.append(f"no text given: learning from the documentation inside Python, {len(text):,} characters")
    else:
        text = read_text(train)
    if valid is not None:
        return Texts(text, read_text(valid), tuple(notes))
    cut = round(len(text) * (1 - VALIDATION_SHARE))
    end_of_line = text.find("\n", cut, (cut + len(text)) // 2)
    cut = end_of_line + 1 if whole_lines and end_of_line >= 0 else cut
    notes.append(f"no validation text given: the last {VALIDATION_SHARE:.0%}, {len(text) - cut:,} characters, is it")
    if len(text) < 20:
        raise DataError(
            f"{train} is too short to split into training and validation: expected 20 characters or more; "
            f"received {len(text)}; give a longer text, or a validation text with --valid"
        )
    return Texts(text[:cut], text[cut:], tuple(notes))


def embedded_text() -> str:
    """The topics of Python's own help, one after the other."""
    from pydoc_data.topics import topics

    return "\n\n".join(topics[name].strip() for name in sorted(topics)) + "\n"


def held_out(count: int, share: float, what: str) -> tuple[int, str]:
    """How many of so many examples, the last ones, are for validation; and a note that says so.

    Args:
        count: All of them.
        share: Of them.
        what: What they are called.

    Raises:
        DataError: There are too few.

    Example:
        >>> held_out(40, 0.1, "pictures")
        (4, 'no validation data given: the last 10%, 4 pictures, is it')
    """
    held = round(count * share)
    if not held:
        raise DataError(f"{count} {what} are too few to take {share:.0%} for validation; give others with --valid")
    return held, f"no validation data given: the last {share:.0%}, {held:,} {what}, is it"
