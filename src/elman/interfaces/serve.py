"""`elman serve`: a model as a service on this machine."""

import gc
import os
from inspect import Parameter
from pathlib import Path
from socket import AF_INET, AF_INET6, create_server, socket
from typing import Annotated, Any

import torch
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
    optional("uvicorn", "uvicorn", "serve")
    optional("fastapi", "fastapi", "serve")
    from elman.interfaces.server.app import create_app

    limits = Limits.of({name: value for name, value in given.items() if value is not None})
    token = os.environ.get(TOKEN) or None
    if limits.host not in LOOPBACK and not token:
        raise OptionError(
            f"--host {limits.host} lets others in; expected a token in {TOKEN}; set one, or leave --host away"
        )
    from elman.interfaces.server.logs import write_logs
    from elman.interfaces.server.stopping import Server, configured

    gate = create_app(load(run), run.resolve().name, limits, token, run)
    listening = _listening(limits)
    write_logs()
    torch.set_num_threads(limits.threads)
    gc.collect()
    gc.freeze()  # all that was imported stays; to look through it again and again would stop everybody meanwhile
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"{run} answers at http://{limits.host}:{limits.port}")
    Server(configured(gate), gate.service).run([listening])


def _listening(limits: Limits) -> socket:
    """A socket that waits for connections.

    Raises:
        OptionError: The port is taken, or there is no such host.
    """
    try:
        return create_server((limits.host, limits.port), family=AF_INET6 if ":" in limits.host else AF_INET)
    except OSError as error:
        place, why = f"{limits.host}:{limits.port}", str(error.strerror).partition(" (")[0]
        raise OptionError(f"nobody can listen at {place}: {why}; choose another --port or --host") from None


serve_command = with_options(
    serve,
    [
        Parameter("run", Parameter.POSITIONAL_OR_KEYWORD, annotation=Annotated[Path, RUN]),
        *fields(Limits, "Where, and how much"),
    ],
    "Answer over HTTP: predict, stream, metrics. On this machine only, unless --host and a token say otherwise.",
)
