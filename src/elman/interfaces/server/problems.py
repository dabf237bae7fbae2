"""What is said where there is no answer: in one form, and without anything about this machine."""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from elman.errors import ElmanError
from elman.interfaces.server.batcher import Busy

log = logging.getLogger("elman.server")

MISTAKE = "the server made a mistake; it is in its log"


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


def problem(error: ElmanError | HTTPException) -> tuple[int, dict[str, str], dict[str, str]]:
    """The status, the body and the headers of an answer to something impossible.

    >>> problem(Busy("too much waits"))
    (429, {'error': 'too much waits'}, {'Retry-After': '1'})
    """
    if isinstance(error, HTTPException):
        return error.status_code, {"error": str(error.detail)}, dict(error.headers or {})
    if isinstance(error, Busy):
        return 429, {"error": str(error)}, {"Retry-After": "1"}
    return 400, {"error": str(error)}, {}


def say_errors(app: FastAPI) -> None:
    """Give every error of an application this form."""

    @app.exception_handler(ElmanError)
    @app.exception_handler(HTTPException)
    async def known(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, ElmanError | HTTPException)
        status, body, headers = problem(error)
        return JSONResponse(body, status, headers)

    @app.exception_handler(RequestValidationError)
    async def formless(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        return JSONResponse({"error": f"{place}: {first['msg']}"}, 422)

    @app.exception_handler(Exception)
    async def mistake(_: Request, error: Exception) -> JSONResponse:
        log.error("an answer failed", exc_info=error)
        return JSONResponse({"error": MISTAKE}, 500)
