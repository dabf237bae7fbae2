"""A server that stops without losing anything: what was accepted is answered, sessions end with what they remember."""

import asyncio
from types import FrameType
from typing import Any

import uvicorn

from elman.interfaces.server.gate import Gate
from elman.interfaces.server.service import Service

LINGER = 5
"""Seconds that those have who do not read to the end, once all is said."""
GRACE = 0.5
"""Seconds in which those who are still connected are told to go elsewhere."""


def configured(gate: Gate) -> uvicorn.Config:
    """What uvicorn is to know of an application."""
    limits = gate.limits
    return uvicorn.Config(
        gate,  # pyright: ignore[reportArgumentType]
        host=limits.host,
        port=limits.port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=LINGER,
        limit_concurrency=limits.sessions + limits.queue + limits.streams,
        ws_max_size=limits.message_bytes,
        ws_per_message_deflate=False,  # it would cost each session more memory than all that it remembers
    )


class Server(uvicorn.Server):
    """Runs until a signal; a second one ends it at once.

    Args:
        config: What uvicorn wants to know.
        service: What is to be finished.
    """

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self.service = service
        self._asked, self._ending = False, None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal: end in order, or at once where it is not the first."""
        if self._asked:
            self.force_exit = self.should_exit = True
        self._asked = True

    async def on_tick(self, counter: int) -> bool:
        """A look at what was asked, ten times a second."""
        if self._asked and self._ending is None:
            self._ending: asyncio.Task[Any] | None = asyncio.create_task(self._end())
        return await super().on_tick(counter)

    async def _end(self) -> None:
        for server in self.servers:
            server.close()  # who comes now is refused at once; who is here already is answered
        try:
            await self.service.stop()
            await asyncio.sleep(GRACE)
        finally:
            self.should_exit = True
