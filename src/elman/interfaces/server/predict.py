"""Answers to inputs, whole or piece by piece."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Coroutine, Iterator
from time import monotonic
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from elman.errors import ElmanError, RunError
from elman.interfaces.server.batcher import Batcher, Busy
from elman.interfaces.server.floor import Floor, Seat
from elman.interfaces.server.form import KIND, SCHEMA
from elman.interfaces.server.problems import MISTAKE, PROBLEMS
from elman.interfaces.server.service import Service, Settings

GLANCE = 0.5
"""Seconds from one look to the next whether somebody still waits."""

ALSO_FORMS = {"requestBody": {"content": {KIND: {"schema": SCHEMA}}}}
"""Describes what `uploading` takes."""

log = logging.getLogger("elman.server")


class Asked(BaseModel):
    """Inputs, and how they are to be answered."""

    model_config = ConfigDict(extra="forbid")

    inputs: list[Any] = Field(min_length=1, description="What the model reads; texts, or lists of numbers.")
    settings: Settings = Field(default={}, description="Those of `elman predict`, such as length or threshold.")


class AskedForStream(BaseModel):
    """An input whose answer is wanted piece by piece."""

    model_config = ConfigDict(extra="forbid")

    input: str = Field(default="", description="How a text begins, or what is to be answered.")
    settings: Settings = Field(default={}, description="Those of `elman predict`, and seed.")


class Answers(BaseModel):
    """What a model says to each input."""

    model: str
    answers: list[Any]


def predicting(service: Service) -> APIRouter:
    """The routes of a model."""
    router, batcher = APIRouter(), service.batcher

    @router.post("/v1/predict", responses=PROBLEMS, openapi_extra=ALSO_FORMS)
    async def predict(asked: Asked, request: Request) -> Answers:
        """Answers to inputs, as JSON or as files."""
        inputs = service.received(asked.inputs, asked.settings)
        answers = await unless_gone(request, batcher.answer(inputs, asked.settings), service.limits.seconds)
        return Answers(model=service.name, answers=answers)

    @router.post("/v1/stream", responses=PROBLEMS, response_class=StreamingResponse)
    async def stream(asked: AskedForStream, request: Request) -> StreamingResponse:
        """An answer piece by piece, as server-sent events: `piece` with a text each, then `final` or `error`."""
        (given,) = service.received([asked.input], asked.settings)
        if batcher.streams >= service.limits.streams:
            raise Busy(f"{batcher.streams} answers are being sent already; come again")
        if service.floor is not None and service.floor.live.takes == "text":
            pieces = _written(service.floor, await _seated(service.floor, given, asked.settings))
        else:
            pieces = _pulled(batcher, await batcher.run(lambda: service.model.stream(given, **asked.settings)))
        return StreamingResponse(_events(batcher, pieces, request), media_type="text/event-stream")

    return router


async def _seated(floor: Floor, text: str, settings: Settings) -> Seat:
    """A session that writes an answer to a text."""
    rest = dict(settings)
    seat = await floor.open({"seed": rest.pop("seed", 0)})
    try:
        seat.talk.read(text)
        seat.talk.write(rest)
    except ElmanError:
        floor.leave(seat)
        raise
    seat.to_the_end = True
    floor.wake(seat)
    return seat


async def _written(floor: Floor, seat: Seat) -> AsyncIterator[str]:
    """The pieces of a session's answer."""
    try:
        while True:
            await seat.news.wait()
            seat.news.clear()
            while seat.out:
                event = seat.out.popleft()
                if event["type"] == "final":
                    return
                if event["type"] != "partial":
                    raise RunError(event.get("error") or event["reason"])
                yield event["text"]
            floor.wake(seat)
    finally:
        floor.leave(seat)


async def _pulled(batcher: Batcher, pieces: Iterator[str]) -> AsyncIterator[str]:
    """The pieces of an answer, one by one from the network's thread."""
    while (piece := await batcher.run(next, pieces, None)) is not None:
        yield piece


async def _events(batcher: Batcher, pieces: AsyncIterator[str], request: Request) -> AsyncIterator[str]:
    batcher.streams += 1
    try:
        async for piece in pieces:
            if await request.is_disconnected():
                return
            yield f"event: piece\ndata: {json.dumps({'text': piece}, ensure_ascii=False)}\n\n"
        yield "event: final\ndata: {}\n\n"
    except ElmanError as error:
        yield f"event: error\ndata: {json.dumps({'error': str(error)}, ensure_ascii=False)}\n\n"
    except Exception:
        log.exception("a stream failed")
        yield f"event: error\ndata: {json.dumps({'error': MISTAKE})}\n\n"
    finally:
        batcher.streams -= 1
        await pieces.aclose()  # pyright: ignore[reportAttributeAccessIssue]


async def unless_gone(request: Request, answer: Coroutine[Any, Any, Any], seconds: float) -> Any:
    """An answer, unless whoever asked for it has left, or it takes too long."""
    found, end = asyncio.ensure_future(answer), monotonic() + seconds
    while True:
        await asyncio.wait({found}, timeout=GLANCE)
        if found.done():
            return found.result()
        if monotonic() > end or await request.is_disconnected():
            found.cancel()
            raise HTTPException(504, f"no answer within {seconds:g} seconds; ask for less")
