"""A model that is served elsewhere, asked from Python as if it were here."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from elman.errors import DataError, OptionError, ServerError, optional
from elman.interfaces.client.conversation import Conversation
from elman.interfaces.client.refusal import patiently, refusal
from elman.interfaces.client.sendable import sendable, written

LOCAL = "http://127.0.0.1:8000"
JSON = {"content-type": "application/json"}


class Client:
    """Asks a server that `elman serve` runs; it goes nowhere else, past any proxy.

    Args:
        url: Where it is.
        token: What it wants to be shown.
        timeout: Seconds for which nothing may come.
        tries: How often a request is sent at most, while the server has too much to do.
    """

    def __init__(self, url: str = LOCAL, token: str | None = None, timeout: float = 60.0, tries: int = 4) -> None:
        httpx = optional("httpx", "httpx", "serve")
        if not url.startswith(("http://", "https://")):
            raise OptionError(f"url expects an address such as {LOCAL}; received {url!r}")
        if tries < 1:
            raise OptionError(f"tries expects a whole number from 1; received {tries}")
        self.url, self.timeout, self.tries = url.rstrip("/"), timeout, tries
        self.headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._http = httpx.Client(base_url=self.url, headers=self.headers, timeout=timeout, trust_env=False)
        self._broken: tuple[type[Exception], ...] = (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def models(self) -> list[dict[str, Any]]:
        """What is served: names, tasks, and facts.

        Raises:
            ServerError: There is no answer.
        """
        return self._said("GET", "/v1/models")["models"]

    def predict(self, inputs: Any = "", **settings: Any) -> list[Any]:
        """Answers, one for each input, as the server says them.

        Args:
            inputs: What the model reads, one or a list: texts, arrays, tensors, columns by name, or sounds as
                `{"samples": ..., "rate": 8000}`.
            settings: Those of `elman predict`.

        Raises:
            ServerError: The server refuses, or does not answer.
            DataError: An input cannot be sent.
        """
        several = inputs if isinstance(inputs, list | tuple) else [inputs]
        body = written({"inputs": several, "settings": settings})
        return self._said("POST", "/v1/predict", content=body, headers=JSON)["answers"]

    def predict_file(self, path: str | Path, **settings: Any) -> list[Any]:
        """Answers to what is in a file, such as a recording, an image or a table.

        Args:
            path: A file of a kind that the model reads; the end of its name says which.
            settings: Those of `elman predict`.

        Raises:
            ServerError: The server refuses, or does not answer.
            DataError: The file cannot be read.
        """
        path = Path(path)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise DataError(f"cannot read {path}: {error.strerror}; expected a file") from error
        files = {"file": (path.name, content, "application/octet-stream")}
        return self._said("POST", "/v1/predict", files=files, data={"settings": written(settings)})["answers"]

    def stream(self, text: str = "", **settings: Any) -> Iterator[str]:
        """An answer piece by piece, as it comes.

        Args:
            text: How it begins, or what is to be answered.
            settings: Those of `elman predict`.

        Raises:
            ServerError: The server refuses, does not answer, or breaks off.
        """
        body = written({"input": text, "settings": settings})
        with self._opened("POST", "/v1/stream", content=body, headers=JSON) as response:
            for event, data in _events(response.iter_lines()):
                if event == "final":
                    return
                if event == "error":
                    raise ServerError(data["error"])
                yield data["text"]
        raise ServerError(f"{self.url} broke off in the middle of an answer; ask again")

    def session(self, state: str | None = None, **settings: Any) -> Conversation:
        """A conversation, in a `with` block: a sound that is heard while it comes, or a text that goes on.

        Args:
            state: Where another conversation ended, as its `export` gave it.
            settings: Those of the model's conversations.
        """
        optional("websockets", "websockets", "serve")
        start = {"settings": sendable(settings)} | ({} if state is None else {"state": state})
        return Conversation(self.url, self.headers, self.timeout, self.tries, start)

    def _said(self, method: str, route: str, **content: Any) -> Any:
        with self._opened(method, route, **content) as response:
            body = response.read()
        try:
            return json.loads(body)
        except ValueError:
            raise ServerError(f"{self.url} answers with something else than JSON; is it elman serve?") from None

    @contextmanager
    def _opened(self, method: str, route: str, **content: Any) -> Iterator[Any]:
        """A response without an error, and any trouble on its way in one line."""
        try:
            response = patiently(lambda: self._accepted(method, route, content), self.tries)
            try:
                yield response
            finally:
                response.close()
        except self._broken as error:
            reason = str(error).partition("\n")[0] or type(error).__name__
            raise ServerError(f"{self.url} does not answer: {reason}; is elman serve running there?") from error

    def _accepted(self, method: str, route: str, content: dict[str, Any]) -> Any:
        response = self._http.send(self._http.build_request(method, route, **content), stream=True)
        if response.status_code == 200:
            return response
        try:
            raise refusal(response.status_code, response.read(), response.headers)
        finally:
            response.close()


def _events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    """Server-sent events: what kind each is, and what is in it."""
    kind = ""
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "event":
            kind = value
        elif name == "data":
            yield kind, json.loads(value)
