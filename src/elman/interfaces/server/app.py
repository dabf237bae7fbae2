"""The routes: predict, stream, and what those ask who look after the machine."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, get_args

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from elman.errors import DataError, ElmanError, OptionError, suggestion
from elman.interfaces.server.batcher import Batcher, Busy
from elman.interfaces.server.counters import Counters
from elman.interfaces.server.gate import App, Gate
from elman.interfaces.server.limits import Limits
from elman.tasks import Model, Task

Settings = dict[str, Any]

MISTAKE = "the server made a mistake; it is in its log"
GLANCE = 0.5
"""Seconds from one look to the next whether somebody still waits."""
BEAMS = ("beam", "beam_size", "n_best")

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


class Problem(BaseModel):
    """Why there is no answer."""

    error: str


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": words}
    for status, words in (
        (400, "An input or a setting is impossible."),
        (401, "A token is wanted."),
        (413, "The request is too long."),
        (422, "The request has another form."),
        (429, "Too much waits; come again."),
        (504, "There was no answer in time."),
    )
}


def create_app(model: Model, name: str, limits: Limits, token: str | None = None) -> App:
    """The application that serves a model.

    Args:
        model: A trained one.
        name: What it is called in answers.
        limits: What is allowed.
        token: What requests must carry as a bearer token; None lets everyone in.
    """
    batcher = Batcher(_said(model), limits.together, limits.queue)
    check = partial(_check, model.task, limits, _settings(model.task))
    counters = Counters(lambda: batcher.length, lambda: batcher.calls, lambda: batcher.answered)

    @asynccontextmanager
    async def living(_: FastAPI) -> AsyncIterator[None]:
        yield
        batcher.close()

    app = FastAPI(
        title="Elman",
        summary=f"The model {name}: {model.task.summary}",
        version="1",
        lifespan=living,
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
    )
    _say_errors(app)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Does the server run?"""
        return {"status": "ok"}

    @app.get("/readyz")
    async def readyz() -> dict[str, str]:
        """Would it take a request now?"""
        if batcher.length >= limits.queue:
            raise Busy("the queue is full")
        return {"status": "ready"}

    @app.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        """Numbers for Prometheus."""
        return PlainTextResponse(counters.text())

    @app.get("/v1/models")
    async def models() -> dict[str, list[dict[str, Any]]]:
        """What is served."""
        return {"models": [{"name": name, "task": model.task.name, "facts": model.config["facts"]}]}

    @app.post("/v1/predict", responses=PROBLEMS)
    async def predict(asked: Asked, request: Request) -> Answers:
        """Answers to inputs."""
        check(asked.inputs, asked.settings)
        inputs = [model.task.received(given) for given in asked.inputs]
        answers = await _unless_gone(request, batcher.answer(inputs, asked.settings), limits.seconds)
        return Answers(model=name, answers=answers)

    @app.post("/v1/stream", responses=PROBLEMS, response_class=StreamingResponse)
    async def stream(asked: AskedForStream, request: Request) -> StreamingResponse:
        """An answer piece by piece, as server-sent events: `piece` with a text each, then `final` or `error`."""
        check([asked.input], asked.settings)
        if batcher.streams >= limits.streams:
            raise Busy(f"{batcher.streams} answers are being sent already; come again")
        given = model.task.received(asked.input)
        pieces = await batcher.run(lambda: model.stream(given, **asked.settings))
        return StreamingResponse(_events(batcher, pieces, request), media_type="text/event-stream")

    return Gate(app, limits, token, counters)  # pyright: ignore[reportArgumentType]


def _said(model: Model) -> Any:
    """From inputs to answers that are ready for JSON."""

    def predict(inputs: list[Any], **settings: Any) -> list[Any]:
        if model.task.answers_in_rows:
            answers = [model.predict([given], **settings) for given in inputs]
        else:
            answers = model.predict(inputs, **settings)
        return [model.task.as_json(answer) for answer in answers]

    return predict


async def _events(batcher: Batcher, pieces: Iterator[str], request: Request) -> AsyncIterator[str]:
    batcher.streams += 1
    try:
        while not await request.is_disconnected():
            piece = await batcher.run(next, pieces, None)
            if piece is None:
                yield "event: final\ndata: {}\n\n"
                return
            yield f"event: piece\ndata: {json.dumps({'text': piece}, ensure_ascii=False)}\n\n"
    except ElmanError as error:
        yield f"event: error\ndata: {json.dumps({'error': str(error)}, ensure_ascii=False)}\n\n"
    except Exception:
        log.exception("a stream failed")
        yield f"event: error\ndata: {json.dumps({'error': MISTAKE})}\n\n"
    finally:
        batcher.streams -= 1


async def _unless_gone(request: Request, answer: Coroutine[Any, Any, Any], seconds: float) -> Any:
    """An answer, unless whoever asked for it has left, or it takes too long."""
    found, end = asyncio.ensure_future(answer), monotonic() + seconds
    while True:
        await asyncio.wait({found}, timeout=GLANCE)
        if found.done():
            return found.result()
        if monotonic() > end or await request.is_disconnected():
            found.cancel()
            raise HTTPException(504, f"no answer within {seconds:g} seconds; ask for less")


def _check(task: Task, limits: Limits, known: set[str], inputs: list[Any], settings: Settings) -> None:
    """See that no more is asked for than is allowed, and that no setting leads to a file."""
    if len(inputs) > limits.inputs:
        raise DataError(f"a request may have {limits.inputs:,} inputs; received {len(inputs):,}")
    for given in inputs:
        if isinstance(given, str) and len(given) > limits.text_length:
            raise DataError(f"an input may have {limits.text_length:,} characters; received {len(given):,}")
    if foreign := [name for name in settings if name not in known]:
        raise OptionError(f"there is no setting {foreign[0]!r} here; {suggestion(foreign[0], known)}")
    for name in BEAMS:
        if isinstance(settings.get(name), int) and settings[name] > limits.beam:
            raise OptionError(f"{name} may be {limits.beam} at most; received {settings[name]:,}")
    amount = task.amount(settings) * len(inputs)
    if amount > limits.written:
        raise OptionError(f"{limits.written:,} steps may be written for a request; received a wish for {amount:,}")


def _settings(task: Task) -> set[str]:
    """Those that may come over a wire."""
    fields = task.predicting_class.model_fields
    return {name for name, field in fields.items() if Path not in (field.annotation, *get_args(field.annotation))} | {
        "seed"
    }


def _say_errors(app: FastAPI) -> None:
    """In one form, and without anything about this machine."""

    @app.exception_handler(Busy)
    async def busy(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"error": str(error)}, 429, {"Retry-After": "1"})

    @app.exception_handler(ElmanError)
    async def impossible(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"error": str(error)}, 400)

    @app.exception_handler(HTTPException)
    async def known(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        return JSONResponse({"error": str(error.detail)}, error.status_code)

    @app.exception_handler(RequestValidationError)
    async def formless(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        return JSONResponse({"error": f"{place}: {first['msg']}"}, 422)

    @app.exception_handler(Exception)
    async def mistake(_: Request, __: Exception) -> JSONResponse:
        return JSONResponse({"error": MISTAKE}, 500)
