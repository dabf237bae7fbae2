"""Recordings and what is said in them."""

from dataclasses import replace
from pathlib import Path

from elman.data.files import read_text
from elman.data.labelled.labelled import Columns, Labelled, Named, left_out
from elman.data.labelled.sounds import files_of, is_sound, one_sound, sounds_in, sounds_of, sounds_of_table
from elman.data.labelled.tables import as_text
from elman.data.pairs.pairs import tidy
from elman.data.source import Source, is_folder
from elman.data.tables import is_table, read_table
from elman.errors import DataError

RECORDINGS = "recordings"


def read_transcripts(path: Path, columns: Columns) -> Labelled:
    """Recordings, each with its text.

    - A table, as in `read_table`, with a path and a text in each row.
    - A folder of recordings, each with its text beside it: `a.txt` for `a.wav`. Folders in it are looked through.

    Recordings without sound or text are left out, and counted.

    Args:
        path: The file or folder.
        columns: `path` and `text` say where in a table they stand, "path" and "text" when omitted.

    Raises:
        DataError: The file cannot be used.
        MissingExtra: soundfile is not installed.
    """
    if is_folder(path):
        found = _of_folder(path)
    elif is_table(path):
        found = sounds_of_table(path, replace(columns, label=columns.text or "text"), answered=True)
    elif is_sound(path):
        found = one_sound(path, columns, answered=True)
    else:
        raise _nothing_known(path)
    said = [tidy(as_text(one, found.place(row), columns.text or "text")) for row, one in enumerate(found.answers)]
    empty = [row for row, (sound, text) in enumerate(zip(found.inputs, said, strict=True)) if not (len(sound) and text)]
    return replace(found, answers=said).without(empty, "empty", "recordings or texts")


def find_recordings(path: Path, columns: Columns) -> Named:
    """Paths of recordings to transcribe: those in a table or a folder, or one by itself. They are not read yet.

    Raises:
        DataError: The file cannot be used.
    """
    if is_folder(path):
        files = sounds_in(path)
        if not files:
            raise DataError(f"{path} has no examples; expected {RECORDINGS}")
        return Named(files, (str(file.relative_to(path)) for file in files))
    if is_table(path):
        column = columns.path or "path"
        return Named(*files_of(path, read_table(path, [column]), column))
    if is_sound(path):
        return Named([path], [path.name])
    raise _nothing_known(path)


def _nothing_known(path: Source) -> DataError:
    return DataError(f"{path} is no table, folder or recording; expected a table with the columns path and text")


def _of_folder(path: Path) -> Labelled:
    files = sounds_in(path)
    alone = [str(file.relative_to(path)) for file in files if not file.with_suffix(".txt").is_file()]
    kept = [file for file in files if file.with_suffix(".txt").is_file()]
    if not kept:
        raise DataError(f"{path} has no examples; expected recordings with texts beside them, such as a.wav and a.txt")
    texts = [_text(file.with_suffix(".txt")) for file in kept]
    found = sounds_of(kept, texts, str(path), [str(file.relative_to(path)) for file in kept])
    notes = (left_out(alone, len(files), "without a text", RECORDINGS),) if alone else ()
    return replace(found, notes=(*found.notes, *notes))


def _text(path: Path) -> str:
    return tidy(read_text(path)) if path.stat().st_size else ""
