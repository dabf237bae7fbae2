"""Pieces of music as chords: which of the keys of a piano sound at each step.

Key: T steps, P = 88 keys.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from elman.data.files import read_text
from elman.data.music.midi import is_midi, read_midi
from elman.data.source import Source, is_folder
from elman.data.text import VALIDATION_SHARE, held_out
from elman.errors import DataError

LOWEST, KEYS = 21, 88
"""MIDI's number of the lowest key of a piano, and how many keys there are."""

Chord = Sequence[int]
"""MIDI's numbers of notes that sound together; none are a rest."""


@dataclass(frozen=True)
class Pieces:
    """Pieces, and what a person should know about them."""

    chords: Sequence[Tensor]
    """Each (T, P) of zeros and ones."""
    names: Sequence[str]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.chords)

    @property
    def fingerprint(self) -> str:
        """Tells whether a later call reads the same."""
        digest = hashlib.sha256()
        for one in self.chords:
            digest.update(one.numpy().tobytes() + b".")
        return digest.hexdigest()

    def split(self, share: float = VALIDATION_SHARE) -> tuple["Pieces", "Pieces"]:
        """Those to train on, and the last ones for validation.

        Raises:
            DataError: There are too few.
        """
        count, note = held_out(len(self), share, "pieces")
        train = Pieces(self.chords[:-count], self.names[:-count], (*self.notes, note))
        return train, Pieces(self.chords[-count:], self.names[-count:])


def read_pieces(path: Source) -> Pieces:
    """Pieces in one of these forms.

    - .json, packed or not: a list of pieces, each a list of steps, each a list of MIDI's numbers of notes.
    - .mid: what sounds at the beginning of each quarter; or a folder of them. It needs the extra `music`.

    Args:
        path: The file or folder.

    Raises:
        DataError: It cannot be used.
        MissingExtra: mido is not installed.
    """
    if is_folder(path):
        files = sorted(file for file in path.rglob("*") if is_midi(file))
        found = Pieces([as_keys(read_midi(file), str(file)) for file in files], [file.name for file in files])
    elif is_midi(path):
        found = Pieces([as_keys(read_midi(path), str(path))], [path.name])
    else:
        pieces = _of_json(path)
        names = [f"piece {number:,}" for number in range(1, len(pieces) + 1)]
        found = Pieces([as_keys(one, f"{path} {name}") for one, name in zip(pieces, names, strict=True)], names)
    return _without_empty(found, path)


def _of_json(path: Source) -> list[Any]:
    text = read_text(path)
    try:
        pieces = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is no JSON: {error}; expected a list of pieces, or MIDI") from error
    if not isinstance(pieces, list):
        raise DataError(f"{path} expects a list of pieces, each a list of chords; received {type(pieces).__name__}")
    return pieces


def _without_empty(found: Pieces, path: Source) -> Pieces:
    kept = [row for row, chords in enumerate(found.chords) if len(chords)]
    if not kept:
        raise DataError(f"{path} has no music; expected a list of pieces, each a list of chords, or MIDI files")
    if len(kept) == len(found):
        return found
    note = f"{len(found) - len(kept):,} of {len(found):,} pieces are empty and left out"
    return replace(
        found, chords=[found.chords[row] for row in kept], names=[found.names[row] for row in kept], notes=(note,)
    )


def as_keys(chords: Any, place: str) -> Tensor:
    """Chords as keys (T, P), each zero or one.

    Args:
        chords: A list of lists of MIDI's numbers.
        place: Where they stand, for a message.

    Raises:
        DataError: There is something else, or a note that no piano has.

    Example:
        >>> as_keys([[60, 64], []], "it").sum(1).tolist()
        [2.0, 0.0]
    """
    if not isinstance(chords, list | tuple):
        raise DataError(f"{place} expects a list of chords; received {chords!r:.40}")
    keys = torch.zeros(len(chords), KEYS)
    for step, chord in enumerate(chords):
        if not isinstance(chord, list | tuple) or not all(isinstance(note, int) for note in chord):
            raise DataError(f"{place} chord {step + 1:,} expects a list of whole numbers; received {chord!r:.40}")
        for note in chord:
            if not LOWEST <= note < LOWEST + KEYS:
                raise DataError(
                    f"{place} chord {step + 1:,} has the note {note}; expected {LOWEST} to {LOWEST + KEYS - 1}, a piano"
                )
            keys[step, note - LOWEST] = 1
    return keys


def as_chords(keys: Tensor) -> list[list[int]]:
    """And back.

    >>> as_chords(as_keys([[64, 60], []], "it"))
    [[60, 64], []]
    """
    return [(chord.nonzero().flatten() + LOWEST).tolist() for chord in keys]
