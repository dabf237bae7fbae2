"""A model, its routes, and the gate before them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from elman.interfaces.server.counters import Counters
from elman.interfaces.server.gate import App, Gate
from elman.interfaces.server.inspect import looking
from elman.interfaces.server.limits import Limits
from elman.interfaces.server.page import paging
from elman.interfaces.server.predict import predicting
from elman.interfaces.server.problems import say_errors
from elman.interfaces.server.service import Service
from elman.interfaces.server.watch import watching
from elman.tasks import Model


def create_app(model: Model, name: str, limits: Limits, token: str | None = None, run: Path | None = None) -> App:
    """The application that serves a model.

    Args:
        model: A trained one.
        name: What it is called in answers.
        limits: What is allowed.
        token: What requests must carry as a bearer token; None lets everyone in.
        run: The folder that it comes from; its page shows how it was trained.
    """
    service = Service(model, name, limits)
    batcher = service.batcher
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
    say_errors(app)
    for routes in (watching(service, counters), predicting(service), looking(service), paging(service, run)):
        app.include_router(routes)
    return Gate(app, limits, token, counters)  # pyright: ignore[reportArgumentType]
