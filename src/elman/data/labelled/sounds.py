"""Recordings and their answers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from elman.data.labelled.labelled import Columns, Labelled
from elman.data.labelled.videos import is_film, videos_of
from elman.data.sound.read import SOUNDS, Sound, read_sound
from elman.data.tables import read_table
from elman.errors import DataError


def is_sound(path: Path) -> bool:
    """Whether a file is named like a recording.

    Example:
        >>> is_sound(Path("seven.WAV"))
        True
    """
    return path.suffix.lower() in SOUNDS


def one_sound(path: Path, columns: Columns, answered: bool) -> Labelled:
    """A recording by itself."""
    if answered:
        raise DataError(
            f"{path} is one recording, without an answer; expected a table of recordings and answers, or a folder"
        )
    return sounds_of([path], [None], str(path.parent), [path.name])


def sounds_of_table(path: Path, columns: Columns, answered: bool) -> Labelled:
    """A path in each row; those that are not absolute start where the table is."""
    column, label = columns.path or "path", columns.label or "label"
    table = read_table(path, [column, label] if answered else [column])
    places = [table.place(row) for row in range(len(table.numbers))]
    files = []
    for given, place in zip(table.columns[column], places, strict=True):
        file = path.parent / str(given or "")
        if not file.exists() or not given:
            raise DataError(f"{path} {place} names the recording {str(given)!r}, which is not there; check {column!r}")
        files.append(file)
    answers = table.columns[label] if answered else [None] * len(files)
    if files and all(map(is_film, files)):
        return videos_of(files, answers, str(path), places, columns)
    return sounds_of(files, answers, str(path), places)


def sounds_of(files: Sequence[Path], answers: Sequence[Any], name: str, places: Sequence[str]) -> Labelled:
    """Recordings, and what is odd about them."""
    sounds = [read_sound(file) for file in files]
    return Labelled("sound", sounds, answers, name, places, tuple(_notes(sounds, places)))


def _notes(sounds: Sequence[Sound], places: Sequence[str]) -> list[str]:
    found = {
        "silent": [place for sound, place in zip(sounds, places, strict=True) if len(sound) and sound.silent],
        "cut off": [place for sound, place in zip(sounds, places, strict=True) if not sound.whole],
    }
    return [
        f"{len(where):,} of {len(sounds):,} recordings are {what}, the first in {where[0]}"
        for what, where in found.items()
        if where
    ]
