"""The routes: predict, stream, and what those ask who look after the machine."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from elman.errors import DataError, ElmanError, OptionError
from elman.interfaces.server.batcher import Batcher, Busy
from elman.interfaces.server.counters import Counters
from elman.interfaces.server.gate import App, Gate
from elman.interfaces.server.limits import Limits
from elman.tasks import Model

Settings = dict[str, Any]


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
    async def predict(asked: Asked) -> Answers:
        """Answers to inputs."""
        _check(asked.inputs, asked.settings, limits)
        inputs = [model.task.received(given) for given in asked.inputs]
        return Answers(model=name, answers=await batcher.answer(inputs, asked.settings))

    @app.post("/v1/stream", responses=PROBLEMS, response_class=StreamingResponse)
    async def stream(asked: AskedForStream, request: Request) -> StreamingResponse:
        """An answer piece by piece, as server-sent events: `piece` with a text each, then `final` or `error`."""
        _check([asked.input], asked.settings, limits)
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
    try:
        while not await request.is_disconnected():
            piece = await batcher.run(next, pieces, None)
            if piece is None:
                yield "event: final\ndata: {}\n\n"
                return
            yield f"event: piece\ndata: {json.dumps({'text': piece}, ensure_ascii=False)}\n\n"
    except ElmanError as error:
        yield f"event: error\ndata: {json.dumps({'error': str(error)}, ensure_ascii=False)}\n\n"


def _check(inputs: list[Any], settings: Settings, limits: Limits) -> None:
    if len(inputs) > limits.inputs:
        raise DataError(f"a request may have {limits.inputs:,} inputs; received {len(inputs):,}")
    for given in inputs:
        if isinstance(given, str) and len(given) > limits.text_length:
            raise DataError(f"an input may have {limits.text_length:,} characters; received {len(given):,}")
    length = settings.get("length")
    if isinstance(length, int) and length > limits.written:
        raise OptionError(f"length may be {limits.written:,} at most; received {length:,}")


def _say_errors(app: FastAPI) -> None:
    """In one form, and without anything about this machine."""

    @app.exception_handler(Busy)
    async def busy(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"error": str(error)}, 429, {"Retry-After": "1"})

    @app.exception_handler(ElmanError)
    async def impossible(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"error": str(error)}, 400)

    @app.exception_handler(RequestValidationError)
    async def formless(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        return JSONResponse({"error": f"{place}: {first['msg']}"}, 422)

    @app.exception_handler(Exception)
    async def mistake(_: Request, __: Exception) -> JSONResponse:
        return JSONResponse({"error": "the server made a mistake; it is in its log"}, 500)
