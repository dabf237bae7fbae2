"""Answers to files that are sent."""

from typing import Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.routing import Match
from starlette.types import Scope

from elman.interfaces.server.form import KIND, read_form
from elman.interfaces.server.predict import Answers, unless_gone
from elman.interfaces.server.service import Service

READ_TOGETHER = 2
"""Requests whose files are read at the same time."""


class OfForms(APIRoute):
    """A route for requests with a form; others go on to the next one of the same path."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        form = match != Match.NONE and Headers(scope=scope).get("content-type", "").lower().startswith(KIND)
        return (match, child) if form else (Match.NONE, {})


def uploading(service: Service) -> APIRouter:
    """The route for files; it comes before that for JSON, which also describes it."""
    router, limiter = APIRouter(route_class=OfForms), CapacityLimiter(READ_TOGETHER)

    @router.post("/v1/predict", include_in_schema=False)
    async def predict(request: Request) -> Answers:
        """Answers to what is in files."""
        kind, body = request.headers["content-type"], await request.body()

        async def answers() -> list[Any]:
            files, settings = await to_thread.run_sync(read_form, kind, body, service.limits.inputs, limiter=limiter)
            inputs = await to_thread.run_sync(service.uploaded, files, settings, limiter=limiter)
            return await service.batcher.answer(inputs, settings)

        return Answers(model=service.name, answers=await unless_gone(request, answers(), service.limits.seconds))

    return router
