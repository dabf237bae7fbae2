"""Connections that cost as little as they can, so that what is measured is the server.

Frames of RFC 6455 with a mask of zeros, so that what is sent can be made beforehand; requests as bytes, too.
"""

import asyncio
import struct
from collections.abc import Callable
from typing import Any

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def frame(kind: int, content: bytes) -> bytes:
    """A frame from a client."""
    size = len(content)
    if size < 126:
        head = struct.pack("!BB", 0x80 | kind, 0x80 | size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", 0x80 | kind, 0xFE, size)
    else:
        head = struct.pack("!BBQ", 0x80 | kind, 0xFF, size)
    return head + bytes(4) + content


class Line(asyncio.Protocol):
    """A WebSocket.

    Args:
        hear: Called with each text that comes, and with None at the end.
        port: Of this machine.
    """

    def __init__(self, hear: Callable[[bytes | None], None], port: int) -> None:
        self.hear, self.port = hear, port
        self.rest = b""
        self.open = asyncio.get_running_loop().create_future()
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.transport.write(
            f"GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        self.rest += data
        if not self.open.done():
            head, found, rest = self.rest.partition(b"\r\n\r\n")
            if not found:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self.transport.close()
                return
            self.open.set_result(True)
            self.rest = rest
        while (size := self._next()) is not None:
            kind, start, end = size
            content, self.rest = self.rest[start:end], self.rest[end:]
            if kind == TEXT:
                self.hear(content)
            elif kind == PING:
                self.transport.write(frame(PONG, content))

    def _next(self) -> tuple[int, int, int] | None:
        """The kind of the next frame, where it begins and ends; None where it is not complete."""
        if len(self.rest) < 2:
            return None
        kind, size, start = self.rest[0] & 15, self.rest[1] & 127, 2
        if size > 125:
            start = 4 if size == 126 else 10
            if len(self.rest) < start:
                return None
            size = int.from_bytes(self.rest[2:start], "big")
        return (kind, start, start + size) if len(self.rest) >= start + size else None

    def connection_lost(self, _: Exception | None) -> None:
        if not self.open.done():
            self.open.set_result(False)
        self.hear(None)


async def line(port: int, hear: Callable[[bytes | None], None]) -> Line:
    """A WebSocket that is open.

    Raises:
        ConnectionRefusedError: The server wants none.
    """
    _, made = await asyncio.get_running_loop().create_connection(lambda: Line(hear, port), "127.0.0.1", port)
    if not await made.open:
        raise ConnectionRefusedError("no WebSocket here")
    return made


def request(path: str, content: bytes, port: int) -> bytes:
    """A request that leaves the connection open."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


async def answered(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """The status of the next answer, and whether the connection stays open behind it."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    size = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
    await reader.readexactly(size)
    return int(head.split(b" ", 2)[1]), b"connection: close" not in head
