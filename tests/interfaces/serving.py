"""A real server for tests, on a free port of this machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from socket import socket
from threading import Thread
from time import sleep
from typing import Any

from elman.interfaces.server.limits import Limits
from elman.tasks import Model


class Serving:
    """What a test needs to know of a server that runs.

    Args:
        server: It.
        port: Where it listens.
    """

    def __init__(self, server: Any, port: int) -> None:
        self.server, self.port = server, port
        self.floor, self.batcher = server.service.floor, server.service.batcher
        self.url, self.socket_url = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}/v1/stream"

    def stop(self) -> None:
        """As a signal would."""
        self.server.handle_exit(15, None)


def free_port() -> int:
    """A port where nobody listens."""
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextmanager
def serving(model: Model, token: str | None = None, **limits: Any) -> Iterator[Serving]:
    """Run a server as long as the block does."""
    import uvicorn

    from elman.interfaces.server.app import create_app
    from elman.interfaces.server.stopping import Server, configured

    port = free_port()
    gate = create_app(model, "served", Limits.of({"port": port} | limits), token)
    server = Server(configured(gate), gate.service)
    assert isinstance(server, uvicorn.Server)
    thread = Thread(target=server.run)
    thread.start()
    while not server.started:
        sleep(0.01)
    try:
        yield Serving(server, port)
    finally:
        server.should_exit = True
        thread.join()
