"""Sequences and their answers from tables: a text in each row, or numbers."""

from typing import Any

import numpy as np
import torch

from elman.data.frames import check_column, is_number, read_frame
from elman.data.labelled.labelled import REST, Columns, Labelled
from elman.data.source import Source
from elman.data.tables import read_table
from elman.errors import DataError


def texts_of_table(path: Source, columns: Columns, answered: bool) -> Labelled:
    """A text in each row."""
    text, label = columns.text or "text", columns.label or "label"
    table = read_table(path, [text, label] if answered else [text])
    places = [table.place(row) for row in range(len(table.numbers))]
    inputs = [as_text(value, f"{path} {place}", text) for value, place in zip(table.columns[text], places, strict=True)]
    answers = table.columns[label] if answered else [None] * len(inputs)
    return Labelled("text", inputs, answers, str(path), places)


def as_text(value: Any, place: str, column: str) -> str:
    """A cell as a text; nothing is an empty one.

    Raises:
        DataError: It is a list or an object.
    """
    if not isinstance(value, str | int | float | None):
        raise DataError(f"{place} expects text under {column!r}; received a value of type {type(value).__name__}")
    return "" if value is None else str(value)


def series_of_table(path: Source, columns: Columns, answered: bool) -> Labelled:
    """Numbers: each row a sequence, or a step of one."""
    import polars

    frame = read_frame(path)
    label, sequence = columns.label or "label", columns.sequence
    used = [name for name in (label if answered else None, sequence) if name]
    for name in used:
        check_column(path, name, frame.columns)
    values = _value_columns(path, columns, frame, {label, sequence})
    rows = torch.from_numpy(frame.select(values).cast(polars.Float64).to_numpy().astype(np.float32))
    if sequence is None and columns.stepwise:
        return Labelled("series", [rows], [frame[label].to_list() if answered else None], str(path), ["(all rows)"])
    if sequence is None:
        answers = frame[label].to_list() if answered else [None] * len(frame)
        return Labelled(
            "series", list(rows.unsqueeze(2)), answers, str(path), [f"row {n:,}" for n in range(1, len(frame) + 1)]
        )
    parts = frame.select(sequence).with_row_index("row").group_by(sequence, maintain_order=True).all()
    inputs, answers, places = [], [], []
    for name, steps in zip(parts[sequence].to_list(), parts["row"].to_list(), strict=True):
        said = frame[label].gather(steps).to_list() if answered else [None]
        inputs.append(rows[steps])
        answers.append(
            said if columns.stepwise else _the_same(said, f"{path} has several labels for the sequence {name!r}")
        )
        places.append(f"{sequence} {name}")
    return Labelled("series", inputs, answers, str(path), places)


def _the_same(answers: list[Any], trouble: str) -> Any:
    """What all rows of a sequence say."""
    found = set(answers)
    if len(found) > 1:
        shown = ", ".join(map(str, sorted(found, key=str)[:3]))
        raise DataError(
            f"{trouble}: {shown}; expected one in all rows of a sequence; an answer to each row is tag --kind steps"
        )
    return found.pop()


def _value_columns(path: Source, columns: Columns, frame: Any, others: set[str | None]) -> list[str]:
    import polars

    numeric = frame.select(polars.selectors.numeric()).columns
    if columns.values in (None, REST):
        names = [name for name in frame.columns if name not in others]
        if columns.values is None:
            names = [name for name in names if name in numeric]
    else:
        names = [name.strip() for name in (columns.values or "").split(",")]
    if not names:
        raise DataError(
            f"{path} has no column of numbers beside {', '.join(filter(None, others))}; name them with --values"
        )
    for name in names:
        check_column(path, name, frame.columns)
        if name not in numeric:
            first = next((value for value in frame[name].to_list() if not is_number(value)), None)
            raise DataError(
                f"{path} expects numbers in the column {name!r}; received {first!r}; name others with --values"
            )
        bad = frame.select(
            (~frame[name].cast(polars.Float64).fill_null(float("nan")).is_finite()).arg_true()
        ).to_series()
        if len(bad):
            raise DataError(
                f"{path} has {len(bad):,} values in the column {name!r} that are missing or not finite, the first in "
                f"row {bad[0] + 1:,}; fill them in or take the rows out"
            )
    return names
