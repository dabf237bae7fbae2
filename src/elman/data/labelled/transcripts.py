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
    alone = [file for file in files if not file.with_suffix(".txt").is_file()] if answered else []
    kept = sorted({*files}.difference(alone))
    if not kept:
        wanted = "recordings with texts beside them, such as a.wav and a.txt" if answered else "recordings"
        raise DataError(f"{path} has no examples; expected {wanted}")
    answers = [_text(file.with_suffix(".txt")) if answered else None for file in kept]
    found = sounds_of(kept, answers, str(path), [str(file.relative_to(path)) for file in kept])
    if not alone:
        return found
    lack = "has no text beside it and is" if len(alone) == 1 else "have no text beside them and are"
    what = f"{len(alone):,} of {len(files):,} recordings {lack} left out"
    return replace(found, notes=(*found.notes, f"{what}, the first is {alone[0].relative_to(path)}"))


def _text(path: Path) -> str:
    return tidy(read_text(path)) if path.stat().st_size else ""


def _whole(found: Labelled, column: str) -> Labelled:
    """Without those that have nothing to hear, or nothing said."""
    said = [tidy(as_text(one, found.place(row), column)) for row, one in enumerate(found.answers)]
    empty = [row for row, (sound, text) in enumerate(zip(found.inputs, said, strict=True)) if not (len(sound) and text)]
    if len(empty) == len(found):
        raise DataError(f"{found.name} has nothing to learn from: all {len(found):,} recordings or texts are empty")
    found = replace(found, answers=said)
    if not empty:
        return found
    are = "is" if len(empty) == 1 else "are"
    what = f"{len(empty):,} of {len(found):,} recordings or texts {are} empty and left out"
    kept = sorted({*range(len(found))}.difference(empty))
    return found.some(kept, notes=(*found.notes, f"{what}, the first in {found.places[empty[0]]}"))
