"""Tables of numbers, as frames of Polars."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from elman.data.files import read_bytes
from elman.data.source import Source, is_folder
from elman.data.tables import table_format
from elman.errors import DataError, suggestion

if TYPE_CHECKING:
    import polars

EMPTY = ("", "NA", "N/A", "NaN", "nan", "null")
"""Cells of text files that say that there is no value."""


def read_frame(path: Source) -> "polars.DataFrame":
    """All columns of a table: .csv, .tsv, .jsonl, .ndjson, .json or .parquet, also with .gz behind it.

    Columns of .csv and .tsv become numbers where all cells are, and text otherwise; empty cells, NA and NaN have no
    value.

    Raises:
        DataError: The file cannot be used.
    """
    import polars

    kind = table_format(path)
    readers = {
        ".csv": lambda data: _cells(data, ","),
        ".tsv": lambda data: _cells(data, "\t"),
        ".jsonl": polars.read_ndjson,
        ".ndjson": polars.read_ndjson,
        ".json": polars.read_json,
        ".parquet": polars.read_parquet,
    }
    if kind not in readers:
        received = "a folder" if is_folder(path) else f"{path.suffix!r}"
        raise DataError(f"{path} is no table; expected a file that ends in {', '.join(readers)}; received {received}")
    try:
        frame = readers[kind](io.BytesIO(read_bytes(path)))
    except (polars.exceptions.PolarsError, polars.exceptions.PanicException) as error:
        reason = str(error).strip().partition("\n")[0]
        raise DataError(f"{path} cannot be read as {kind[1:]}: {reason}; mend the file") from error
    if not len(frame):
        raise DataError(f"{path} has no rows; expected at least one, below the header where there is one")
    return frame


def check_column(source: object, name: str, found: Sequence[str]) -> None:
    """Accept the name of a column that is there.

    Args:
        source: What to call the table.
        name: Of the column.
        found: All there are.

    Raises:
        DataError: It is not among them.
    """
    if name not in found:
        raise DataError(
            f"{source} has no column {name!r} (there is: {', '.join(found[:20])}); {suggestion(name, found)}"
        )


def is_number(value: Any) -> bool:
    """Can it be read as one?"""
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _cells(data: io.BytesIO, separator: str) -> "polars.DataFrame":
    import polars

    return polars.read_csv(data, separator=separator, infer_schema_length=None, null_values=list(EMPTY))
