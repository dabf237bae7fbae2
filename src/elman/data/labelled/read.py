"""Sequences and their answers from any kind of file."""

from collections.abc import Callable

from elman.data.arrays import ARRAYS
from elman.data.labelled.fasta import is_fasta
from elman.data.labelled.files import images_of_idx, of_arrays, of_folder, one_image, texts_of_fasta, texts_of_lines
from elman.data.labelled.images import is_idx, is_image
from elman.data.labelled.labelled import Columns, Labelled, without_empty
from elman.data.labelled.sounds import is_sound, one_sound, sounds_of_table
from elman.data.labelled.tables import series_of_table, texts_of_table
from elman.data.labelled.videos import is_film, one_video
from elman.data.source import Source, is_folder
from elman.data.tables import is_table
from elman.errors import OptionError


def read_labelled(path: Source, columns: Columns, *, answered: bool = True) -> Labelled:
    """Sequences and their answers, in any of these forms.

    - A table, as in `read_table`: a text in each row; or numbers, where `columns` says so.
    - A table with a column of paths to recordings or videos, where `columns` names it.
    - A folder with a folder for each class, in which each file is a text (.txt), an image, a sound or a video; a folder
      of numbered images in it is a video too.
    - An image, a sound or a video by itself, without answers.
    - .npz, or only "x" as .npy: "x" (N, T), (N, T, F), with "lengths" (N,) where they differ; or bytes
      (N, H, W[, C]) or (N, T, H, W[, C]); and "y" (N,), or (N, T) with an answer to every step.
    - The idx files of MNIST, by the name of the one with images.
    - .fasta, .fa or .fna: the last word of each header is the answer.
    - Any other file: lines that begin with the answer; the text follows after white space.

    Texts without letters are left out, and counted.

    Args:
        path: The file or folder.
        columns: Where they stand in a table; and the size of images in folders.
        answered: There are answers. Without, the answers are None, a folder holds the files themselves, and a line
            is a text.

    Raises:
        DataError: The file cannot be used.
        OptionError: `columns` fits no such file.
    """
    reader = _reader_of(path, columns)
    if columns.stepwise and reader not in (series_of_table, of_arrays):
        raise OptionError(f"kind = steps reads tables and .npz; {path} is neither; give one of them")
    if answered and columns.path and reader is not sounds_of_table:
        raise OptionError(f"path names a column of a table; {path} is none; leave it away")
    if answered and (columns.values or columns.sequence) and reader is not series_of_table:
        raise OptionError(f"values and sequence are for tables of numbers; {path} is none; leave them away")
    return without_empty(reader(path, columns, answered))


def _reader_of(path: Source, columns: Columns) -> Callable[[Source, Columns, bool], Labelled]:
    name = path.name.lower().removesuffix(".gz")
    if is_folder(path):
        return of_folder
    if is_table(path) and columns.path:
        return sounds_of_table
    if is_table(path):
        return series_of_table if columns.numbers else texts_of_table
    if is_sound(path):
        return one_sound
    if is_film(path):
        return one_video
    if is_image(path):
        return one_image
    if name.endswith(ARRAYS):
        return of_arrays
    if is_idx(path):
        return images_of_idx
    return texts_of_fasta if is_fasta(path) else texts_of_lines
