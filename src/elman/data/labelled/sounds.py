"""Recordings and their answers."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from elman.data.labelled.labelled import Columns, Labelled, without_empty
from elman.data.labelled.videos import is_film, videos_of
from elman.data.sound.read import SOUNDS, Sound, read_sound
from elman.data.source import Source, Upload, folder_of, is_folder
from elman.data.tables import Table, is_table, read_table
from elman.errors import DataError

HIGHEST_RATE = 16_000
"""Samples a second that are listened to, where nothing is said and the recordings have more."""


def is_sound(path: Source) -> bool:
    """Whether a file is named like a recording.

    Example:
        >>> is_sound(Path("seven.WAV"))
        True
    """
    return path.suffix.lower() in SOUNDS


def sounds_in(folder: Path) -> list[Path]:
    """All recordings in a folder and in those in it."""
    return sorted(file for file in folder.rglob("*") if is_sound(file))


def one_sound(path: Source, columns: Columns, answered: bool) -> Labelled:
    """A recording by itself."""
    if answered:
        raise DataError(
            f"{path} is one recording, without an answer; expected a table of recordings and answers, or a folder"
        )
    return sounds_of([path], [None], folder_of(path), [path.name])


def read_sounds(path: Source) -> Labelled:
    """Recordings without answers: one, a folder of them, or a table of their paths.

    Raises:
        DataError: There is none, or one cannot be read.
        MissingExtra: soundfile is not installed.
    """
    if is_table(path):
        found = sounds_of_table(path, Columns(), answered=False)
    else:
        files, names = _files_in(path) if is_folder(path) else ([path], [path.name])
        found = sounds_of(files, [None] * len(files), str(path), names)
    return without_empty(found)


def _files_in(folder: Path) -> tuple[list[Path], list[str]]:
    files = sounds_in(folder)
    if not files:
        raise DataError(f"{folder} has no recordings; expected files that end in {', '.join(SOUNDS)}")
    return files, [str(file.relative_to(folder)) for file in files]


def usual_rate(sounds: Sequence[Sound]) -> int:
    """Samples a second at which recordings are heard when nothing is said: the commonest, but no more than needed.

    >>> import torch
    >>> usual_rate([Sound(torch.zeros(1), rate) for rate in (8000, 8000, 44_100)])
    8000
    """
    return min(Counter(sound.rate for sound in sounds).most_common(1)[0][0], HIGHEST_RATE)


def sounds_of_table(path: Source, columns: Columns, answered: bool) -> Labelled:
    """A path in each row; those that are not absolute start where the table is."""
    column, label = columns.path or "path", columns.label or "label"
    table = read_table(path, [column, label] if answered else [column])
    files, places = files_of(path, table, column)
    answers = table.columns[label] if answered else [None] * len(files)
    if files and all(map(is_film, files)):
        return videos_of(files, answers, str(path), places, columns)
    return sounds_of(files, answers, str(path), places)


def files_of(path: Source, table: Table, column: str) -> tuple[list[Path], list[str]]:
    """The recordings that a column of a table names, and where each stands; paths start where the table is.

    Raises:
        DataError: One is not there.
    """
    if isinstance(path, Upload):
        raise DataError(f"{path} names recordings that stand elsewhere; send the recordings themselves")
    places, files = [table.place(row) for row in range(len(table.numbers))], []
    for given, place in zip(table.columns[column], places, strict=True):
        file = path.parent / str(given or "")
        if not file.exists() or not given:
            raise DataError(f"{path} {place} names the recording {str(given)!r}, which is not there; check {column!r}")
        files.append(file)
    return files, places


def sounds_of(files: Sequence[Source], answers: Sequence[Any], name: str, places: Sequence[str]) -> Labelled:
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
