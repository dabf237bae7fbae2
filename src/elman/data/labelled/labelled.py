"""Sequences with an answer to each: texts, rows of numbers, images, sounds or videos, and what they are.

Key: T steps, F features, H rows of pixels, W pixels in a row, C colours.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch

from elman.data.cuts import cuts
from elman.data.sound.read import Sound
from elman.data.text import VALIDATION_SHARE, held_out
from elman.errors import DataError

Kind = Literal["text", "series", "image", "sound", "video"]

REST = "rest"
"""Stands for all columns that have no other use."""


class Named(list[Any]):
    """Inputs, and what to call those that are no texts.

    Args:
        inputs: As many as there are names.
        names: Such as the name of a file, or where it stands in one.
    """

    def __init__(self, inputs: Iterable[Any], names: Iterable[str]) -> None:
        super().__init__(inputs)
        self.names = list(names)


@dataclass(frozen=True)
class Columns:
    """Where in a table sequences and their answers stand."""

    text: str | None = None
    """The column of texts; "text" when nothing is said."""
    label: str | None = None
    """The column of answers; "label" when nothing is said."""
    values: str | None = None
    """Columns of numbers, with commas between them, or `REST`."""
    sequence: str | None = None
    """The column that says which sequence a row is a step of; without it each row is a sequence."""

    path: str | None = None
    """The column of paths to recordings or videos; without it there are none."""
    image_size: tuple[int, int] | None = None
    """H and W to which images in folders, and frames, are made; all must be alike when omitted."""
    every: int = 1
    """One of so many frames of a video is read."""
    stepwise: bool = False
    """Is there an answer to every step of a series? A table without `sequence` is one series then."""

    @property
    def numbers(self) -> bool:
        """Are the sequences of numbers?"""
        return bool(self.values or self.sequence or self.stepwise)


@dataclass(frozen=True)
class Labelled:
    """Sequences, their answers, and what a person should know about them."""

    kind: Kind
    inputs: Sequence[Any]
    """Texts; series (T, F); images (H, W, C) or videos (T, H, W, C) of bytes; or each a `Sound`."""
    answers: Sequence[Any]
    """As they stand in the file; of `stepwise` ones a list for each series."""
    name: str
    """What to call them in a message."""
    places: Sequence[str]
    """Where in the file each stands."""
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.inputs)

    def place(self, row: int) -> str:
        """Where one stands, for a message."""
        return f"{self.name} {self.places[row]}"

    @property
    def named(self) -> Named:
        """The inputs, each by its place."""
        return Named(self.inputs, self.places)

    def some(self, rows: Sequence[int], **changes: Any) -> "Labelled":
        """Some of them."""
        kept = {name: [getattr(self, name)[row] for row in rows] for name in ("inputs", "answers", "places")}
        return replace(self, **kept, **changes)

    def without(self, rows: Sequence[int], why: str, things: str = "examples", hint: str = "") -> "Labelled":
        """The others, and a note of what is left out.

        Args:
            rows: Those that are left out; none, perhaps.
            why: What is wrong with them.
            things: What to call them in a message.
            hint: What would help.

        Raises:
            DataError: There are no others.
        """
        hint = hint and f"; {hint}"
        if len(rows) == len(self):
            raise DataError(f"{self.name} has nothing to read: all {len(self):,} {things} are {why}{hint}")
        if not rows:
            return self
        note = left_out([self.places[row] for row in rows], len(self), why, things) + hint
        return self.some(sorted({*range(len(self))}.difference(rows)), notes=(*self.notes, note))

    @property
    def fingerprint(self) -> str:
        """Tells whether a later call reads the same."""
        digest = hashlib.sha256(json.dumps(list(map(str, self.answers))).encode())
        for one in self.inputs:
            digest.update(_bytes(one))
        return digest.hexdigest()

    def pieces(self, longest: int) -> "Labelled":
        """Series with an answer to every step, cut so that none is longer.

        >>> whole = Labelled("series", [torch.zeros(5, 1)], [["a", "a", "b", "b", "b"]], "them", ["row 1"])
        >>> whole.pieces(3).answers
        [['a', 'a', 'b'], ['b', 'b']]
        """
        parts = cuts(map(len, self.inputs), longest)
        inputs, answers = ([of[row][part] for row, part in parts] for of in (self.inputs, self.answers))
        return replace(self, inputs=inputs, answers=answers, places=[self.places[row] for row, _ in parts])

    def split_in_time(self, share: float = VALIDATION_SHARE) -> tuple["Labelled", "Labelled"]:
        """The beginning of every series to train on, and its end for validation.

        Raises:
            DataError: One is too short.
        """
        parts: tuple[list[Any], list[Any], list[Any], list[Any]] = [], [], [], []
        for row, (one, said) in enumerate(zip(self.inputs, self.answers, strict=True)):
            try:
                count, _ = held_out(len(one), share, "steps")
            except DataError as error:
                raise DataError(f"{self.place(row)}: {error}") from None
            for part, kept in zip(parts, (one[:-count], said[:-count], one[-count:], said[-count:]), strict=True):
                part.append(kept)
        note = f"no validation data given: the last {share:.0%} of every series is it"
        train = replace(self, inputs=parts[0], answers=parts[1], notes=(*self.notes, note))
        return train, replace(self, inputs=parts[2], answers=parts[3], notes=())

    def split(self, share: float = VALIDATION_SHARE) -> tuple["Labelled", "Labelled"]:
        """Those to train on and those for validation, chosen by chance, always the same ones.

        Raises:
            DataError: There are too few.
        """
        order = torch.randperm(len(self), generator=torch.Generator().manual_seed(0)).tolist()
        count = round(len(self) * share)
        if not count:
            raise DataError(
                f"{self.name} has {len(self)} examples, too few to take {share:.0%} for validation; "
                "give more, or others with --valid"
            )
        note = f"no validation data given: {share:.0%} chosen by chance, {count:,} examples, is it"
        train = self.some(sorted(order[count:]), notes=(*self.notes, note))
        return train, self.some(sorted(order[:count]), notes=())


def left_out(places: Sequence[str], total: int, why: str, things: str = "examples") -> str:
    """That some of all are left out.

    >>> left_out(["line 3", "line 8"], 20, "empty")
    '2 of 20 examples are empty and left out, the first is line 3'
    """
    are = "is" if len(places) == 1 else "are"
    return f"{len(places):,} of {total:,} {things} {are} {why} and left out, the first is {places[0]}"


def _bytes(one: Any) -> bytes:
    if isinstance(one, str):
        return one.encode()
    return (one.samples if isinstance(one, Sound) else one).numpy().tobytes()


def without_empty(found: Labelled) -> Labelled:
    """Without those that have nothing to read, and how many these were.

    Raises:
        DataError: All are.
    """
    empty = [row for row, one in enumerate(found.inputs) if len(one) == 0 or (isinstance(one, str) and not one.strip())]
    return found.without(empty, "empty")
