"""Forms with files, taken apart in memory: nothing of them is ever written to a disk."""

import json
from dataclasses import dataclass, field
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.exceptions import HTTPException

KIND = "multipart/form-data"
"""How browsers and curl call such a form."""

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "string", "format": "binary"},
            "description": "What the model reads; the end of each name says what it is, such as .wav or .csv.",
        },
        "settings": {
            "type": "object",
            "additionalProperties": True,
            "description": "Those of `elman predict`, as JSON.",
        },
    },
}
"""Describes the form."""


@dataclass
class Part:
    """A part of a form."""

    name: str = ""
    file: str | None = None
    """The name of a file, as it was sent."""
    content: bytearray = field(default_factory=bytearray, repr=False)


def read_form(kind: str, body: bytes, files: int) -> tuple[list[tuple[str, bytes]], dict[str, Any]]:
    """The names and contents of files, and the settings beside them.

    Args:
        kind: What the request says of its body.
        body: All of it.
        files: So many of them at most.

    Raises:
        HTTPException: It has another form.

    Example:
        >>> part = b'Content-Disposition: form-data; name="file"; filename="a.txt"\\r\\n\\r\\nhello\\r\\n'
        >>> read_form("multipart/form-data; boundary=x", b"--x\\r\\n" + part + b"--x--\\r\\n", 9)
        ([('a.txt', b'hello')], {})
    """
    _, options = parse_options_header(kind.encode("latin-1"))
    try:
        parts = _parts(options.get(b"boundary", b""), body, files + 1)
    except FormParserError as error:
        raise _other_form("a form with its parts between boundaries", "something damaged") from error
    found: list[tuple[str, bytes]] = []
    settings: dict[str, Any] = {}
    for part in parts:
        if part.name == "file" and part.file:
            found.append((part.file, bytes(part.content)))
        elif part.name == "settings" and part.file is None:
            settings = _settings(bytes(part.content))
        else:
            raise _other_form("parts named file, each with the name of a file, and settings", repr(part.name[:40]))
    if not found:
        raise _other_form("one part or more named file", "none")
    return found, settings


def _parts(boundary: bytes, body: bytes, most: int) -> list[Part]:
    if not boundary:
        raise _other_form("a boundary in content-type", "none")
    parts: list[Part] = []
    header, value, ended = bytearray(), bytearray(), False

    def begun() -> None:
        if len(parts) == most:
            raise HTTPException(400, f"a request may have {most - 1:,} files; received more")
        parts.append(Part())

    def told() -> None:
        if header.lower() == b"content-disposition":
            _, options = parse_options_header(bytes(value))
            parts[-1].name = options.get(b"name", b"").decode(errors="replace")
            file = options.get(b"filename")
            parts[-1].file = None if file is None else file.decode(errors="replace")
        header.clear()
        value.clear()

    def end() -> None:
        nonlocal ended
        ended = True

    parser = MultipartParser(
        boundary,
        {
            "on_part_begin": begun,
            "on_header_field": lambda data, start, stop: header.extend(data[start:stop]),
            "on_header_value": lambda data, start, stop: value.extend(data[start:stop]),
            "on_header_end": told,
            "on_part_data": lambda data, start, stop: parts[-1].content.extend(data[start:stop]),
            "on_end": end,
        },
    )
    parser.write(body)
    parser.finalize()
    if not ended:
        raise FormParserError("it ends early")
    return parts


def _settings(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise _other_form("settings as JSON", "something else") from None
    if not isinstance(found, dict):
        raise _other_form("settings as a JSON object", type(found).__name__)
    return found


def _other_form(expected: str, received: str) -> HTTPException:
    return HTTPException(422, f"the form expects {expected}; received {received}")
