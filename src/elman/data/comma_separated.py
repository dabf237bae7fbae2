"""Rows as comma-separated text."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any


def comma_separated(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as CSV with a header; numbers with the seven digits that f32 has, what is no single value as JSON.

    >>> comma_separated([{"name": "a, b", "share": 1 / 3, "tags": ["x"]}])
    'name,share,tags\\n"a, b",0.3333333,"[""x""]"\\n'
    """
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return file.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.7g}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
