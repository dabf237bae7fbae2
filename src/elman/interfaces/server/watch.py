"""What those ask who look after the machine."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response
from starlette.exceptions import HTTPException

from elman.interfaces.server.batcher import Busy
from elman.interfaces.server.counters import Counters
from elman.interfaces.server.service import Service


def watching(service: Service, counters: Counters) -> APIRouter:
    """The routes of a server."""
    router = APIRouter()

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Does the server run?"""
        return {"status": "ok"}

    @router.get("/readyz")
    async def readyz() -> dict[str, str]:
        """Would it take a request now?"""
        if service.stopping:
            raise HTTPException(503, "the server stops")
        if service.batcher.length >= service.limits.queue:
            raise Busy("the queue is full")
        return {"status": "ready"}

    @router.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        """Numbers for Prometheus."""
        return PlainTextResponse(counters.text())

    @router.get("/v1/models")
    async def models() -> dict[str, list[dict[str, Any]]]:
        """What is served."""
        return {"models": [service.description()]}

    return router
