"""What stands before every request: who may come in, how much they may bring, and one line about each."""

import asyncio
import hmac
import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from time import perf_counter
from typing import Any

from elman.interfaces.server.counters import Counters
from elman.interfaces.server.limits import Limits

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

OPEN = ("/healthz", "/readyz", "/")
"""What may be asked without a token: by whoever looks after the machine, and by a browser that has none yet."""
STATIC = "/page/"
"""And so may what a page is made of, below this."""

log = logging.getLogger("elman.server")


class TooMuch(Exception):
    """A body is longer than allowed."""


class Gone(Exception):
    """Whoever asked has left."""


class Gate:
    """An ASGI application around another one.

    Args:
        app: The one inside.
        limits: What is allowed.
        token: What a request must carry as a bearer token; None lets everyone in.
        counters: Count what came.
    """

    def __init__(self, app: App, limits: Limits, token: str | None, counters: Counters) -> None:
        self.app, self.limits, self.token, self.counters = app, limits, token, counters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = perf_counter(), 500

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-content-type-options", b"nosniff")]
            await send(message)

        try:
            await self._pass(scope, receive, told)
        finally:
            seconds = perf_counter() - started
            route = getattr(scope.get("route"), "path", "other")
            self.counters.request(route, status, seconds)
            line = {"route": route, "method": scope["method"], "status": status, "ms": round(seconds * 1000, 2)}
            log.info(json.dumps(line))

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        if self.token is not None and not _open(scope["path"]) and not self._known(headers):
            await refuse(send, 401, "this server wants a token; send it as: Authorization: Bearer TOKEN")
            return
        size = headers.get(b"content-length", b"0")
        if not size.isdigit() or int(size) > self.limits.body_bytes:
            await refuse(send, 413, f"a request may have {self.limits.body_bytes:,} bytes at most")
            return
        try:
            body = await asyncio.wait_for(self._body(receive), self.limits.seconds)
        except TimeoutError:
            await refuse(send, 408, f"a request must be complete within {self.limits.seconds:g} seconds")
        except Gone:
            return
        except TooMuch:
            await refuse(send, 413, f"a request may have {self.limits.body_bytes:,} bytes at most")
        else:
            await self.app(scope, _again(body, receive), send)

    def _known(self, headers: dict[bytes, bytes]) -> bool:
        given = headers.get(b"authorization", b"")
        return hmac.compare_digest(given, f"Bearer {self.token}".encode())

    async def _body(self, receive: Receive) -> bytes:
        """All of it, before anything is done with it."""
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Gone
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self.limits.body_bytes:
                raise TooMuch
        return body


def _open(path: str) -> bool:
    return path in OPEN or path.startswith(STATIC)


def _again(body: bytes, receive: Receive) -> Receive:
    """Gives a body that has been read, and then what else comes."""
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def again() -> Message:
        return next(messages, None) or await receive()

    return again


async def refuse(send: Send, status: int, words: str, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    """Answer with an error."""
    body = json.dumps({"error": words}).encode()
    plain = ((b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": [*plain, *headers]})
    await send({"type": "http.response.body", "body": body})
