"""A model, its routes, and the gate before them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from elman.interfaces.server.counters import Counters
from elman.interfaces.server.express import Express
from elman.interfaces.server.gate import Gate
from elman.interfaces.server.inspect import looking
from elman.interfaces.server.limits import Limits
from elman.interfaces.server.page import paging
from elman.interfaces.server.predict import predicting
from elman.interfaces.server.problems import say_errors
from elman.interfaces.server.service import Service
from elman.interfaces.server.uploads import uploading
from elman.interfaces.server.watch import watching
from elman.tasks import Model


def create_app(model: Model, name: str, limits: Limits, token: str | None = None, run: Path | None = None) -> Gate:
    """The application that serves a model.

    Args:
        model: A trained one.
        name: What it is called in answers.
        limits: What is allowed.
        token: What requests must carry as a bearer token; None lets everyone in.
        run: The folder that it comes from; its page shows how it was trained.
    """
    service = Service(model, name, limits)
    counters = Counters(service)

    @asynccontextmanager
    async def living(_: FastAPI) -> AsyncIterator[None]:
        await service.warm()
        watch = asyncio.create_task(service.floor.watch()) if service.floor else None
        yield
        if watch is not None:
            watch.cancel()
        service.close()

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
    routes = watching(service, counters), uploading(service), predicting(service)
    for each in (*routes, looking(service), paging(service, run)):
        app.include_router(each)
    return Gate(Express(app, service), service, token, counters)  # pyright: ignore[reportArgumentType]
