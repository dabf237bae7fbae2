"""`elman serve`: a model as a service on this machine."""

import logging
import os
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any

from rich.console import Console

from elman.errors import OptionError, optional
from elman.interfaces.options import fields, with_options
from elman.interfaces.predict import RUN
from elman.interfaces.server.limits import LOOPBACK, Limits
from elman.tasks import load

TOKEN = "ELMAN_TOKEN"
"""Where the environment holds the token."""


def serve(run: Path, **given: Any) -> None:
    """Answer over HTTP until stopped."""
    uvicorn = optional("uvicorn", "uvicorn", "serve")
    optional("fastapi", "fastapi", "serve")
    from elman.interfaces.server.app import create_app

    limits = Limits.of({name: value for name, value in given.items() if value is not None})
    token = os.environ.get(TOKEN)
    if limits.host not in LOOPBACK and not token:
        raise OptionError(
            f"--host {limits.host} lets others in; expected a token in {TOKEN}; set one, or leave --host away"
        )
    app = create_app(load(run), run.resolve().name, limits, token, run)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"{run} answers at http://{limits.host}:{limits.port}")
    uvicorn.run(app, host=limits.host, port=limits.port, log_level="warning", access_log=False, server_header=False)


serve_command = with_options(
    serve,
    [
        Parameter("run", Parameter.POSITIONAL_OR_KEYWORD, annotation=Annotated[Path, RUN]),
        *fields(Limits, "Where, and how much"),
    ],
    "Answer over HTTP: predict, stream, metrics. On this machine only, unless --host and a token say otherwise.",
)
