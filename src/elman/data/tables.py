"""Columns of tables: comma- and tab-separated text, JSON and Parquet."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from elman.data.files import read_bytes, read_text
from elman.data.source import Source, is_folder
from elman.errors import DataError, OptionError, suggestion

TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json")
"""Ends of the names of tables that may come from elsewhere: few bytes of Parquet can hold very many rows."""
SHOWN, LONGEST = 20, 40  # names of columns in a message, and their letters
KINDS = {
    dict: "an object",
    list: "a list",
    str: "text",
    int: "a number",
    float: "a number",
    bool: "true or false",
    bytes: "bytes",
    type(None): "null",
}


@dataclass(frozen=True)
class Table:
    """Columns of equal length, and where in the file each row begins.

    Args:
        columns: The values under each name that was asked for.
        unit: What the numbers count: "line", "object" of a list, or "row".
        numbers: One for each row, from 1.
    """

    columns: dict[str, list[Any]]
    unit: str
    numbers: Sequence[int]

    def place(self, row: int) -> str:
        """Where a row stands, for a message."""
        return f"{self.unit} {self.numbers[row]:,}"


def read_columns(path: Source, names: Sequence[str]) -> dict[str, list[Any]]:
    """The values of some columns; `read_table` without the places.

    Args:
        path: The file.
        names: As in `read_table`.

    Raises:
        DataError: As in `read_table`.
        OptionError: As in `read_table`.
    """
    return read_table(path, names).columns


def read_table(path: Source, names: Sequence[str]) -> Table:
    """Some columns of a table.

    The end of its name says what the file is, also with .gz behind it: .csv (cells in quotes as in RFC 4180), .tsv
    (cells as they stand, quotes are quotes), .jsonl or .ndjson (an object a line), .json (a list of objects) or
    .parquet. Cells of .csv and .tsv are text; other values keep their type. Blank lines are no rows.

    Args:
        path: The file.
        names: Of columns. In .csv and .tsv the first line is the header, and a whole number counts columns from 1
            and says that there is no header. Where values lie in objects, "user.text" goes into them, and
            "turns[].text" walks a list and gives a list for each row.

    Raises:
        DataError: The file cannot be used, a column or a value is missing, or a row has too many or too few cells.
        OptionError: Names and numbers of columns are mixed.
    """
    reader = READERS.get(table_format(path))
    if reader is None:
        received = "a folder" if is_folder(path) else f"{path.suffix!r}"
        raise DataError(f"{path} is no table; expected a file that ends in {', '.join(READERS)}; received {received}")
    table = reader(path, names)
    if not table.numbers:
        raise DataError(f"{path} has no rows; expected at least one, below the header where there is one")
    return table


def table_format(path: Source) -> str:
    """The end of a file's name, without .gz.

    Example:
        >>> table_format(Path("train.CSV.gz"))
        '.csv'
    """
    return Path(path.name.removesuffix(".gz")).suffix.lower()


def is_table(path: Source) -> bool:
    """Whether `read_table` knows what a file of this name is."""
    return table_format(path) in READERS


# Cells: rows are (number of the line, cells)


def _comma_separated(path: Source, names: Sequence[str]) -> Table:
    # not Polars: it fills short rows with nulls and knows no numbers of lines
    reader = csv.reader(io.StringIO(read_text(path)), strict=True)
    rows = []
    line = 1
    try:
        with _cells_of_any_length():
            for cells in reader:
                rows.append((line, cells))
                line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"{path} line {line:,} begins a row that cannot be read: {error}; expected quotes around a whole cell, "
            'and "" for a quote in it; mend the row'
        ) from error
    return _from_cells(path, names, [(line, cells) for line, cells in rows if cells])


@contextmanager
def _cells_of_any_length() -> Iterator[None]:
    before = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _tab_separated(path: Source, names: Sequence[str]) -> Table:
    lines = enumerate(read_text(path).split("\n"), 1)
    return _from_cells(path, names, [(number, line.split("\t")) for number, line in lines if line])


def _from_cells(path: Source, names: Sequence[str], rows: list[tuple[int, list[str]]]) -> Table:
    numbered = {name.isdecimal() for name in names}
    if len(numbered) == 2:
        raise OptionError(
            f"columns of {path} expect all names, or all numbers for no header; received {', '.join(names)}"
        )
    if not rows:
        return Table({}, "line", [])
    _check_widths(path, rows)
    if True in numbered:
        header = [str(number) for number in range(1, len(rows[0][1]) + 1)]
    else:
        header = [cell.strip() for cell in rows[0][1]]
        rows = rows[1:]
    positions = {name: _position(path, name, header) for name in names}
    columns = {name: [cells[position] for _, cells in rows] for name, position in positions.items()}
    return Table(columns, "line", [number for number, _ in rows])


def _check_widths(path: Source, rows: list[tuple[int, list[str]]]) -> None:
    first, cells = rows[0]
    for number, row in rows:
        if len(row) != len(cells):
            raise DataError(
                f"{path} line {number:,} has {len(row)} cells; expected {len(cells)}, as in line {first:,}; "
                "mend or remove it"
            )


def _position(path: Source, name: str, header: list[str]) -> int:
    if name not in header:
        only = "; expected tabs (.tsv) or commas (.csv) between cells" if len(header) == 1 else ""
        raise DataError(f"{path} has no column {_missing(name, header)}{only}")
    if header.count(name) > 1:
        raise DataError(f"{path} has {header.count(name)} columns {name!r}; expected one; rename the others")
    return header.index(name)


def _missing(name: str, found: Sequence[str]) -> str:
    near = get_close_matches(name, found, n=1)
    hint = f"; {suggestion(name, near)}" if near else ""
    shown = ", ".join(" ".join(one.split())[:LONGEST] for one in found[:SHOWN]) + ", ..." * (len(found) > SHOWN)
    return f"{name!r}{hint} (there is: {shown})"


# Records: rows are (number, object)


def _json_lines(path: Source, names: Sequence[str]) -> Table:
    lines = enumerate(read_text(path).split("\n"), 1)
    records = [(number, _parsed(path, line, number)) for number, line in lines if line.strip()]
    return _from_records(path, names, "line", records)


def _json_list(path: Source, names: Sequence[str]) -> Table:
    records = _parsed(path, read_text(path), 1)
    if not isinstance(records, list):
        raise DataError(f"{path} expects a list of objects; received {kind_of(records)}; an object a line is .jsonl")
    return _from_records(path, names, "object", list(enumerate(records, 1)))


def _parsed(path: Source, text: str, line: int) -> Any:
    """The value of a JSON text that begins in a line."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(
            f"{path} line {line + error.lineno - 1:,} is not JSON: {error.msg} at column {error.colno:,}; "
            "expected a list of objects in .json, an object a line in .jsonl"
        ) from error
    except (ValueError, RecursionError) as error:  # numbers of thousands of digits, thousands of brackets
        raise DataError(f"{path} line {line:,} holds JSON that is not data: {error}; mend or remove it") from error


def _parquet(path: Source, names: Sequence[str]) -> Table:
    data = read_bytes(path)
    if not data[:4] == data[-4:] == b"PAR1":
        raise DataError(f"{path} is not Parquet, or not all of it; expected PAR1 at both ends; copy it again")
    return _from_records(path, names, "row", list(enumerate(_parquet_rows(path, data, names), 1)))


def _parquet_rows(path: Source, data: bytes, names: Sequence[str]) -> list[dict[str, Any]]:
    import polars

    try:
        table = polars.scan_parquet(io.BytesIO(data))
        found = table.collect_schema().names()
        wanted = dict.fromkeys(name if name in found else name.split(".")[0].removesuffix("[]") for name in names)
        for name in wanted:
            if name not in found:
                raise DataError(f"{path} has no column {_missing(name, found)}")
        return table.select(list(wanted)).collect().to_dicts()
    except (polars.exceptions.PolarsError, polars.exceptions.PanicException) as error:
        reason = str(error).strip().partition("\n")[0]
        raise DataError(f"{path} is a damaged Parquet file: {reason}; copy or write it again") from error


def _from_records(path: Source, names: Sequence[str], unit: str, records: list[tuple[int, Any]]) -> Table:
    columns = {
        name: [_follow(record, name, f"{path} {unit} {number:,}") for number, record in records] for name in names
    }
    return Table(columns, unit, [number for number, _ in records])


def _follow(record: Any, name: str, place: str) -> Any:
    """The value at the end of a path through a record, or the list of all where the path walks lists."""
    if isinstance(record, Mapping) and name in record:  # a name may hold a full stop
        return _whole(record[name], place)
    found = [record]
    for step in name.split("."):
        found = [_member(one, step.removesuffix("[]"), name, place) for one in found]
        if step.endswith("[]"):
            found = [item for one in found for item in _items(one, step, name, place)]
    for value in found:
        _whole(value, place)
    return found if "[]" in name else found[0]


def _member(value: Any, key: str, name: str, place: str) -> Any:
    if not isinstance(value, Mapping):
        raise DataError(f"{place} expects an object that holds {key!r} of {name!r}; received {kind_of(value)}")
    if key not in value:
        asked = f" for {name!r}" if key != name else ""
        raise DataError(f"{place} has no {_missing(key, list(value))}; expected it in every one{asked}")
    return value[key]


def _items(value: Any, step: str, name: str, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise DataError(f"{place} expects a list at {step!r} of {name!r}; received {kind_of(value)}; leave out the []")
    return value


def _whole(value: Any, place: str) -> Any:
    """The value itself; JSON can spell half a character, which no file of text can hold."""
    try:
        if isinstance(value, str):
            value.encode()
    except UnicodeEncodeError as error:
        raise DataError(f"{place} has {value[error.start]!r}, half a character; take it out") from None
    return value


def kind_of(value: Any) -> str:
    """What a value is, in the words of JSON.

    Example:
        >>> kind_of([1, 2])
        'a list'
    """
    return KINDS.get(type(value), f"a value of type {type(value).__name__}")


READERS: dict[str, Callable[[Source, Sequence[str]], Table]] = {
    ".csv": _comma_separated,
    ".tsv": _tab_separated,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".json": _json_list,
    ".parquet": _parquet,
}
