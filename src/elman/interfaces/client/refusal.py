"""What a server says instead of an answer, and whether to ask again."""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from time import sleep
from typing import TypeVar

from elman.errors import ServerError

BUSY = (429, 503)
"""Statuses of a server that would answer later."""
SOON, LATEST = 1.0, 30.0
"""Seconds to wait where nothing is said, and at most."""

Answer = TypeVar("Answer")


def refusal(status: int, body: bytes, headers: Mapping[str, str]) -> ServerError:
    """An error in the server's own words.

    >>> refusal(429, b'{"error": "come again"}', {"retry-after": "2"}).retry_after
    2.0
    >>> print(refusal(502, b"<html>", {}))
    the server answers 502 Bad Gateway; is it elman serve?
    """
    try:
        words = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        known = {one.value: one.phrase for one in HTTPStatus}
        words = f"the server answers {status} {known.get(status, '')}".strip() + "; is it elman serve?"
    return ServerError(str(words), status, _seconds(headers.get("retry-after", "")))


def _seconds(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() else None


def patiently(ask: Callable[[], Answer], tries: int) -> Answer:
    """An answer, also of a server that has too much to do for the moment.

    Args:
        ask: Gets the answer, or raises the server's refusal.
        tries: How often it is called at most.

    Raises:
        ServerError: It is refused for another reason, or too often.
    """
    for left in reversed(range(tries)):
        try:
            return ask()
        except ServerError as error:
            if error.status not in BUSY or not left:
                raise
            sleep(min(SOON if error.retry_after is None else error.retry_after, LATEST))
    raise ValueError(f"tries expects a whole number from 1; received {tries}")
