"""What stands before every request: who may come in, how much they may bring, and one line about each."""

import asyncio
import hmac
import json
import logging
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from time import perf_counter
from typing import Any

from elman.interfaces.server.counters import Counters
from elman.interfaces.server.limits import LOOPBACK
from elman.interfaces.server.service import Service

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

OPEN = ("/healthz", "/readyz", "/")
"""What may be asked without a token: by whoever looks after the machine, and by a browser that has none yet."""
STATIC = "/page/"
"""And so may what a page is made of, below this."""

ALWAYS = ((b"x-content-type-options", b"nosniff"),)
LEAVE = (b"connection", b"close")
LEFT = 499
"""The status, in the log alone, of those who left before there was an answer."""
OFFER = b"elman.bearer."
"""How a WebSocket's offered protocol begins that carries a token, in base 64 for addresses."""

log = logging.getLogger("elman.server")


class TooMuch(Exception):
    """A body is longer than allowed."""


class Gone(Exception):
    """Whoever asked has left."""


class Gate:
    """An ASGI application around another one.

    Args:
        app: The one inside.
        service: What it serves, and what is allowed.
        token: What a request must carry as a bearer token; None lets everyone in who is on this machine.
        counters: Count what came.
    """

    def __init__(self, app: App, service: Service, token: str | None, counters: Counters) -> None:
        self.app, self.service, self.token, self.counters = app, service, token, counters
        self.limits = service.limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._session(scope, receive, send)
        elif scope["type"] == "http":
            await self._request(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _session(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (refusal := self._refusal(scope)) is None:
            await self.app(scope, receive, send)
            return
        await receive()
        status, words = refusal
        headers, body = _as_json(words)
        await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": body})

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, status = perf_counter(), LEFT
        if scope["method"] == "HEAD":  # the server leaves the body away
            scope = {**scope, "method": "GET"}

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                extra = ALWAYS if not self.service.stopping else (*ALWAYS, LEAVE)
                message["headers"] = [*message["headers"], *extra]
            await send(message)

        try:
            await self._pass(scope, receive, told)
        finally:
            seconds = perf_counter() - started
            route = getattr(scope.get("route"), "path", "other")
            self.counters.request(route, status, seconds)
            line = {"route": route, "method": scope["method"], "status": status, "ms": round(seconds * 1000, 2)}
            log.info("request", extra={"line": line})

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (refusal := self._refusal(scope)) is not None:
            await self._to_the_end(receive)
            await refuse(send, *refusal)
            return
        size = dict(scope["headers"]).get(b"content-length", b"0")
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
            await self.app(scope, again(body, receive), send)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Why somebody may not come in, as a status and words; None where they may."""
        headers = dict(scope["headers"])
        if self.service.stopping and scope["path"] not in OPEN:
            return 503, "the server stops; come again"
        if self.token is None and _host(headers.get(b"host", b"")) not in LOOPBACK:
            return 403, "this server answers at the names of this machine alone; expected localhost as the host"
        if b"origin" in headers and headers[b"origin"].partition(b"://")[2] != headers.get(b"host"):
            return 403, "this server answers to no page but its own"
        if self.token is not None and not _open(scope["path"]) and not self._known(headers):
            return 401, "this server wants a token; send it as: Authorization: Bearer TOKEN"
        return None

    def _known(self, headers: dict[bytes, bytes]) -> bool:
        kind, _, bearer = headers.get(b"authorization", b"").partition(b" ")
        given = [bearer] if kind.lower() == b"bearer" else []
        for offered in headers.get(b"sec-websocket-protocol", b"").split(b","):  # a page can send no other header
            if offered.strip().startswith(OFFER):
                given.append(_decoded(offered.strip().removeprefix(OFFER)))
        return any(hmac.compare_digest(one, (self.token or "").encode()) for one in given)

    async def _to_the_end(self, receive: Receive) -> None:
        """Let a body pass by: an answer to a request that is not complete is lost where the connection is closed."""
        passed, more = 0, True
        with suppress(TimeoutError):
            async with asyncio.timeout(self.limits.seconds):
                while more and passed <= self.limits.body_bytes:
                    message = await receive()
                    passed += len(message.get("body", b""))
                    more = message.get("more_body", False)

    async def _body(self, receive: Receive) -> bytes:
        """All of it, before anything is done with it."""
        body, more = bytearray(), True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Gone
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self.limits.body_bytes:
                raise TooMuch
        return bytes(body)


def _open(path: str) -> bool:
    return path in OPEN or path.startswith(STATIC)


def again(body: bytes, receive: Receive) -> Receive:
    """Gives a body that has been read, and then what else comes."""
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def again() -> Message:
        return next(messages, None) or await receive()

    return again


def _host(given: bytes) -> str:
    """The name in a header, without the port.

    >>> _host(b"localhost:8000"), _host(b"[::1]:8000"), _host(b"here")
    ('localhost', '::1', 'here')
    """
    name = given.decode("latin-1")
    return name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0]


def _decoded(given: bytes) -> bytes:
    try:
        return urlsafe_b64decode(given + b"=" * (-len(given) % 4))
    except ValueError:
        return b""


def _as_json(words: str) -> tuple[list[tuple[bytes, bytes]], bytes]:
    body = json.dumps({"error": words}).encode()
    return [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())], body


async def refuse(send: Send, status: int, words: str) -> None:
    """Answer with an error."""
    headers, body = _as_json(words)
    if status == 503:
        headers.append((b"retry-after", b"1"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
