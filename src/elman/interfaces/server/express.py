"""The way that most take: JSON to `/v1/predict`, and sessions, past the layers of a framework: they cost more time
than an answer, and more memory than a session.

What is not quite as it should be goes on to the framework, which finds the words for it.
"""

import logging
from types import SimpleNamespace
from typing import Annotated, Any

import msgspec
from fastapi import Request, WebSocket
from starlette.exceptions import HTTPException

from elman.errors import ElmanError
from elman.interfaces.server.gate import App, Receive, Scope, Send, again
from elman.interfaces.server.live import speak
from elman.interfaces.server.predict import unless_gone
from elman.interfaces.server.problems import MISTAKE, problem
from elman.interfaces.server.service import Service

ROUTE = SimpleNamespace(path="/v1/predict")
SESSIONS = "/v1/stream"
JSON = b"application/json"


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    """As `predict.Asked`."""

    inputs: Annotated[list[Any], msgspec.Meta(min_length=1)]
    settings: dict[str, Any] = {}


log = logging.getLogger("elman.server")

read = msgspec.json.Decoder(Asked).decode
write = msgspec.json.Encoder().encode


class Express:
    """An ASGI application around another one, behind the gate.

    Args:
        app: The framework.
        service: Who answers.
    """

    def __init__(self, app: App, service: Service) -> None:
        self.app, self.service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and scope["path"] == SESSIONS:
            await speak(self.service, WebSocket(scope, receive, send))
            return
        if not _is_usual(scope):
            await self.app(scope, receive, send)
            return
        body = (await receive())["body"]
        try:
            asked = read(body)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            await self.app(scope, again(body, receive), send)
            return
        scope["route"] = ROUTE
        try:
            status, headers, said = 200, {}, await self._answered(asked, Request(scope, receive))
        except (ElmanError, HTTPException) as error:
            status, said, headers = problem(error)
        except Exception:
            log.exception("an answer failed")
            status, said, headers = 500, {"error": MISTAKE}, {}
        content = write(said)
        named = {"content-type": JSON.decode(), "content-length": str(len(content))} | headers
        plain = [(name.lower().encode(), value.encode()) for name, value in named.items()]
        await send({"type": "http.response.start", "status": status, "headers": plain})
        await send({"type": "http.response.body", "body": content})

    async def _answered(self, asked: Asked, request: Request) -> dict[str, Any]:
        service = self.service
        inputs = service.received(asked.inputs, asked.settings)
        answers = await unless_gone(request, service.batcher.answer(inputs, asked.settings), service.limits.seconds)
        return {"model": service.name, "answers": answers}


def _is_usual(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["path"] != ROUTE.path or scope["method"] != "POST":
        return False
    return dict(scope["headers"]).get(b"content-type") == JSON
