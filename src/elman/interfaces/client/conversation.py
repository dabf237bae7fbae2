"""A conversation with a model that is served: what is said to it and what it says, over one connection."""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

import numpy as np

from elman.errors import DataError, ServerError, optional
from elman.interfaces.client.refusal import patiently, refusal
from elman.interfaces.client.sendable import sendable

FRAME = 16_000
"""Samples that are sent at once, at most."""
NO_SOUND = "this model reads texts and hears nothing; expected read and write"
LARGEST = 2**28
"""Bytes of a message, at most: a state may be long."""
LOUDEST = 32_768
"""What 16 bits call 1."""


class Said(NamedTuple):
    """What was said from one `finish` to the next."""

    text: str
    words: list[dict[str, Any]]
    """Each with `text`, `start`, `end` and `confidence`."""


class Conversation:
    """Sounds are heard while they come, a text goes on; `Client.session` makes it.

    Args:
        url: Where the server is, as `http://...`.
        headers: What it wants to be shown.
        timeout: Seconds for which nothing may come.
        tries: How often to knock at most, while the server has too much to do.
        start: Settings, and the state to go on from.
    """

    def __init__(self, url: str, headers: dict[str, str], timeout: float, tries: int, start: dict[str, Any]) -> None:
        self.url, self.headers, self.timeout, self.tries, self.start = url, headers, timeout, tries, start
        self.id = ""
        """What the server calls it."""
        self.takes = ""
        """"sound" or "text"."""
        self.rate: int | None = None
        """Samples a second that the model hears."""
        self.partial = ""
        """What has been understood last and may still change."""
        self.state: str | None = None
        """Where to go on, once it was asked for or the server has closed."""
        self._words: list[dict[str, Any]] = []
        """Of this utterance."""
        self._unsure = False
        """Was a text read, and not yet said whether it is refused?"""
        self._stack = ExitStack()
        self._socket: Any = None
        self._stream: tuple[int, Any] | None = None
        """What makes a sound of another rate one of the model's."""

    def __enter__(self) -> Self:
        self._socket = patiently(self._connected, self.tries)
        try:
            self._send({"type": "start", **self.start})
            started = self._until("started")
        except BaseException:
            self._stack.close()
            raise
        self.id, self.takes, self.rate = str(started.get("session")), started["takes"], started.get("rate")
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def hear(self, samples: Any, rate: int) -> list[dict[str, Any]]:
        """The next samples of a sound -> the words that they complete.

        Args:
            samples: (N,), floats from -1 to 1, or whole numbers of 16 bits.
            rate: Samples a second, the same until `finish`.

        Raises:
            DataError: They are something else.
            ServerError: The server refuses, or the connection is broken.
            MissingExtra: The model hears at another rate, and soxr is not installed.
        """
        return self._heard(self._resampled(_row(samples), rate))

    def finish(self) -> Said:
        """The end of an utterance: all that was said in it.

        Raises:
            DataError: The model hears nothing.
            ServerError: As in `hear`.
        """
        if self.rate is None:
            raise DataError(NO_SOUND)
        if self._stream is not None:
            _, stream = self._stream
            self._stream = None
            self._heard(stream.resample_chunk(np.zeros(0, np.float32), last=True))
        self._send({"type": "finish"})
        final = self._until("final")
        words, self._words, self.partial = [*self._words, *final["words"]], [], ""
        return Said(final["text"], words)

    def read(self, text: str) -> None:
        """Let the model read a text, and say nothing; if it is refused, the next `write` or `export` says so.

        Raises:
            ServerError: As in `hear`.
        """
        self._send({"type": "text", "text": text})
        self._unsure = True

    def write(self, **settings: Any) -> Iterator[str]:
        """How the text goes on, or the answer, piece by piece.

        Args:
            settings: Those of `elman predict`.

        Raises:
            ServerError: As in `hear`; or a text that was read is refused, and nothing is written.
        """
        if self._unsure:  # afterwards nobody could tell which of the two was refused, and whether an answer comes
            self._remembered()
        self._send({"type": "write", "settings": sendable(settings)})
        return self._pieces()

    def export(self) -> str:
        """The state: with it another conversation goes on from here, also with another server of the same model.

        Raises:
            ServerError: As in `hear`.
        """
        self.state = self._remembered()
        return self.state

    def _remembered(self) -> str:
        """The state, once all that came before it is answered; what was refused first is raised then."""
        self._send({"type": "export"})
        refused: ServerError | None = None
        while (message := self._next())["type"] != "state":
            if message["type"] == "error":
                refused = refused or ServerError(message["error"])
        self._unsure = False
        if refused is not None:
            raise refused
        return message["state"]

    def _pieces(self) -> Iterator[str]:
        ended = False
        try:
            while not ended:
                message = self._received()
                ended = message["type"] == "final"
                if message["type"] == "partial":
                    yield message["text"]
        except ServerError:
            ended = True
            raise
        finally:
            if not ended:  # nobody wants the rest
                with suppress(ServerError):
                    self._send({"type": "finish"})
                    self._until("final")

    def _heard(self, samples: np.ndarray) -> list[dict[str, Any]]:
        words: list[dict[str, Any]] = []
        for first in range(0, len(samples), FRAME):
            frame = samples[first : first + FRAME]
            self._send(np.round(frame * LOUDEST).clip(-LOUDEST, LOUDEST - 1).astype("<i2").tobytes())
            said = self._until("partial")
            self.partial = said["text"]
            words += said["words"]
        self._words += words
        return words

    def _resampled(self, samples: np.ndarray, rate: int) -> np.ndarray:
        if self.rate is None:
            raise DataError(NO_SOUND)
        if rate != self.rate and self._stream is None:
            soxr = optional("soxr", "soxr", "sound")
            self._stream = rate, soxr.ResampleStream(rate, self.rate, 1, dtype="float32")
        known, stream = self._stream or (self.rate, None)
        if rate != known:
            raise DataError(f"a sound of {known:,} Hz goes on at {rate:,} Hz; expected one rate until finish")
        return samples if stream is None else stream.resample_chunk(samples)

    def _connected(self) -> Any:
        """A connection of our own, so that no proxy and no other address comes between."""
        client, errors = optional("websockets.sync.client", "websockets", "serve"), _errors()
        parts = urlsplit(self.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            connection = socket.create_connection((parts.hostname, port), self.timeout)
            return self._stack.enter_context(
                client.connect(
                    f"ws{self.url.removeprefix('http')}/v1/stream",
                    sock=connection,
                    additional_headers=self.headers,
                    open_timeout=self.timeout,
                    max_size=LARGEST,
                    proxy=None,
                )
            )
        except errors.InvalidStatus as error:
            response = error.response
            raise refusal(response.status_code, response.body or b"", response.headers) from None
        except (errors.WebSocketException, OSError, ValueError) as error:
            raise self._broken(error) from error

    def _send(self, message: dict[str, Any] | bytes) -> None:
        if self._socket is None:
            raise ServerError("a conversation has not begun; use it in a with block: with client.session() as session")
        try:
            self._socket.send(message if isinstance(message, bytes) else json.dumps(message, ensure_ascii=False))
        except (_errors().WebSocketException, OSError) as error:
            self._last_words()
            raise self._broken(error) from error

    def _last_words(self) -> None:
        """What the server said before it closed the connection."""
        with suppress(_errors().WebSocketException, OSError, TimeoutError):
            while True:
                _accepted(self._understood(self._socket.recv(timeout=0)))

    def _received(self) -> dict[str, Any]:
        return _accepted(self._next())

    def _next(self) -> dict[str, Any]:
        """The next message, also one that says no."""
        try:
            text = self._socket.recv(timeout=self.timeout)
        except TimeoutError:
            raise ServerError(f"{self.url} says nothing for {self.timeout:g} seconds; try again") from None
        except (_errors().WebSocketException, OSError) as error:
            raise self._broken(error) from error
        return self._understood(text)

    def _understood(self, text: str | bytes) -> dict[str, Any]:
        try:
            message = json.loads(text)
            kind = message["type"]
        except (ValueError, KeyError, TypeError):
            raise ServerError(f"{self.url} says something that is no message; is it elman serve?") from None
        if kind == "closed":
            self.state = message.get("state")
            raise ServerError(f"the server has closed the conversation: {message['reason']}; go on with its state")
        return message

    def _until(self, kind: str) -> dict[str, Any]:
        while (message := self._received())["type"] != kind:
            pass
        return message

    def _broken(self, error: Exception) -> ServerError:
        reason = str(error).partition("\n")[0] or type(error).__name__
        return ServerError(f"the connection to {self.url} is broken: {reason}; is elman serve running there?")


def _accepted(message: dict[str, Any]) -> dict[str, Any]:
    if message["type"] == "error":
        raise ServerError(message["error"])
    return message


def _errors() -> Any:
    return optional("websockets.exceptions", "websockets", "serve")


def _row(samples: Any) -> np.ndarray:
    """(N,), from -1 to 1."""
    found = np.asarray(samples)
    if found.ndim != 1 or found.dtype.kind not in "fi" or (found.dtype.kind == "i" and found.dtype != np.int16):
        raise DataError(
            f"a sound expects one row of floats, or of whole numbers of 16 bits; received {found.dtype} {found.shape}"
        )
    found = found.astype(np.float32) / (LOUDEST if found.dtype == np.int16 else 1)
    if not np.isfinite(found).all():
        raise DataError("a sound expects numbers from -1 to 1; received some that are not finite")
    return found
