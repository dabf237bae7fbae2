"""Recordings and what is said in them."""

from dataclasses import replace
from pathlib import Path

from elman.data.files import read_text
from elman.data.labelled.labelled import Columns, Labelled
from elman.data.labelled.sounds import is_sound, one_sound, sounds_of, sounds_of_table
from elman.data.labelled.tables import as_text
from elman.data.pairs.pairs import tidy
from elman.data.tables import is_table
from elman.errors import DataError


def read_transcripts(path: Path, columns: Columns, *, answered: bool = True) -> Labelled:
    """Recordings, each with its text.

    - A table, as in `read_table`, with a path and a text in each row.
    - A folder of recordings, each with its text beside it: `a.txt` for `a.wav`. Folders in it are looked through.
    - Without texts, a recording by itself.

    Recordings without sound or text are left out, and counted.

    Args:
        path: The file or folder.
        columns: `path` and `text` say where in a table they stand, "path" and "text" when omitted.
        answered: There are texts.

    Raises:
        DataError: The file cannot be used.
        MissingExtra: soundfile is not installed.
    """
    if path.is_dir():
        found = _of_folder(path, answered)
    elif is_table(path):
        found = sounds_of_table(path, replace(columns, label=columns.text or "text"), answered)
    elif is_sound(path):
        found = one_sound(path, columns, answered)
    else:
        raise DataError(f"{path} is no table, folder or recording; expected a table with the columns path and text")
    return _whole(found, columns.text or "text") if answered else found


def _of_folder(path: Path, answered: bool) -> Labelled:
    files = sorted(file for file in path.rglob("*") if is_sound(file))
    texts = [file.with_suffix(".txt") for file in files]
    kept = [file for file, text in zip(files, texts, strict=True) if not answered or text.is_file()]
    if not kept:
        wanted = "recordings with texts beside them, such as a.wav and a.txt" if answered else "recordings"
        raise DataError(f"{path} has no examples; expected {wanted}")
    answers = [_text(file.with_suffix(".txt")) if answered else None for file in kept]
    found = sounds_of(kept, answers, str(path), [str(file.relative_to(path)) for file in kept])
    if len(kept) == len(files):
        return found
    first = next(file for file in files if file not in set(kept)).relative_to(path)
    count = len(files) - len(kept)
    lack = "has no text beside it and is" if count == 1 else "have no text beside them and are"
    note = f"{count:,} of {len(files):,} recordings {lack} left out, the first is {first}"
    return replace(found, notes=(*found.notes, note))


def _text(path: Path) -> str:
    return tidy(read_text(path)) if path.stat().st_size else ""


def _whole(found: Labelled, column: str) -> Labelled:
    """Without those that have nothing to hear, or nothing said."""
    said = [tidy(as_text(one, found.place(row), column)) for row, one in enumerate(found.answers)]
    kept = [row for row, (sound, text) in enumerate(zip(found.inputs, said, strict=True)) if len(sound) and text]
    if not kept:
        raise DataError(f"{found.name} has nothing to learn from: all {len(found):,} recordings or texts are empty")
    found = replace(found, answers=said)
    if len(kept) == len(found):
        return found
    first = next(row for row in range(len(found)) if row not in set(kept))
    count = len(found) - len(kept)
    are = "is" if count == 1 else "are"
    note = (
        f"{count:,} of {len(found):,} recordings or texts {are} empty and left out, the first in {found.places[first]}"
    )
    return found.some(kept, notes=(*found.notes, note))
