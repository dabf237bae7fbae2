"""Requests that make no sense, from a process of its own; settings come in as JSON.

{"port", "count", "body"}: so many in all, of random bytes, damaged requests, strange JSON, sockets closed by half, slow
senders, and frames of WebSockets that are too long, unmasked, or noise. Meanwhile somebody asks what makes sense, with
that body. Prints one line of JSON: how many were sent, statuses, and how long the one who makes sense had to wait.
"""

import asyncio
import json
import sys
from collections import Counter
from contextlib import suppress
from random import Random
from time import perf_counter
from typing import Any

from wire import BINARY, TEXT, answered, frame, request

AT_ONCE = 50
PATHS = (
    "/v1/predict",
    "/v1/stream",
    "/v1/inspect",
    "/v1/models",
    "/metrics",
    "/",
    "/%00",
    "/../../etc/passwd",
    "/v1/" + "a" * 9000,
)
UPGRADE = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
UPGRADE += "Sec-WebSocket-Version: 13\r\n"
NAMES = ("inputs", "input", "settings", "samples", "rate", "a")
KINDS = (b"multipart/form-data; boundary=x", b"text/\xff", b"")


def strange(random: Random, depth: int = 0) -> Any:
    """JSON that nobody wants."""
    kinds = [
        lambda: random.choice([None, True, -1, 1e308, 10**30, "", "\x00", "ж" * 50, "../../etc/passwd", "\ud800"]),
        lambda: [strange(random, depth + 1) for _ in range(random.randrange(4))],
        lambda: {random.choice(NAMES): strange(random, depth + 1) for _ in range(3)},
    ]
    return kinds[0 if depth > 3 else random.randrange(3)]()


def noise(random: Random, port: int) -> bytes:
    """Random bytes, or a request with something wrong in it."""
    kind = random.randrange(6)
    if kind == 0:
        return random.randbytes(random.randrange(1, 3000))
    body = json.dumps(strange(random)).encode("utf-8", "surrogatepass")
    path = random.choice(PATHS)
    if kind == 1:
        body = bytes(random.choice((byte, random.randrange(256))) if random.random() < 0.05 else byte for byte in body)
    whole = request(path, body, port)
    if kind == 2:
        place = random.randrange(len(whole))
        return whole[:place] + random.randbytes(20) + whole[place:]
    if kind == 3:
        return whole.replace(b"application/json", random.choice(KINDS))
    if kind == 4:
        return whole.replace(b"Content-Length: ", random.choice([b"Content-Length: -", b"Content-Length: 9", b"X: "]))
    return whole


def frames(random: Random) -> bytes:
    """What no WebSocket should say."""
    start = frame(TEXT, b'{"type":"start"}') if random.random() < 0.7 else b""
    rest = [
        lambda: random.randbytes(random.randrange(1, 2000)),
        lambda: frame(BINARY, random.randbytes(random.randrange(3000))),
        lambda: frame(TEXT, json.dumps(strange(random)).encode("utf-8", "surrogatepass")),
        lambda: frame(TEXT, b"\xff\xfe"),
        lambda: b"\x82\xff" + (1 << 40).to_bytes(8, "big") + bytes(4),
        lambda: frame(BINARY, bytes(2_000_000)),
        lambda: b"\x81\x05hello",
        lambda: frame(3, b"x") + frame(11, b"y"),
    ]
    return start + b"".join(random.choice(rest)() for _ in range(random.randrange(1, 4)))


class Strangers:
    """All who make no sense.

    Args:
        port: Where the server is.
        random: What they do.
    """

    def __init__(self, port: int, random: Random) -> None:
        self.port, self.random = port, random
        self.statuses: Counter[int] = Counter()
        self.sent = 0

    async def one(self) -> None:
        """One of them."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.sent += 1
        with suppress(OSError, EOFError, TimeoutError, ValueError, asyncio.LimitOverrunError):
            kind = self.random.random()
            if kind < 0.25:
                await self._as_websocket(reader, writer)
            else:
                content = noise(self.random, self.port)
                if kind < 0.35:
                    await self._slowly(writer, content)
                else:
                    writer.write(content)
                if kind < 0.6:
                    writer.write_eof()
                status, _ = await asyncio.wait_for(answered(reader), 0.3)
                self.statuses[status] += 1
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    async def _as_websocket(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n{UPGRADE}\r\n".encode())
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 2)
        self.statuses[int(head.split(b" ", 2)[1])] += 1
        writer.write(frames(self.random))
        await asyncio.wait_for(reader.read(1000), 0.3)

    async def _slowly(self, writer: asyncio.StreamWriter, content: bytes) -> None:
        for place in range(0, min(len(content), 40), 4):
            writer.write(content[place : place + 4])
            await asyncio.sleep(0.05)


async def sensible(port: int, body: Any, waits: list[float], statuses: Counter[int]) -> None:
    """Somebody who asks what makes sense, again and again."""
    asked = request("/v1/predict", json.dumps(body).encode(), port)
    while True:
        begin = perf_counter()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(asked)
        status, _ = await answered(reader)
        waits.append(perf_counter() - begin)
        statuses[status] += 1
        writer.close()
        await asyncio.sleep(0.05)


async def main(port: int, count: int, body: Any) -> dict[str, Any]:
    """All of them."""
    strangers, waits, statuses = Strangers(port, Random(0)), [], Counter()
    asking = asyncio.create_task(sensible(port, body, waits, statuses))

    async def several() -> None:
        while strangers.sent < count:
            await strangers.one()

    begin = perf_counter()
    await asyncio.gather(*(several() for _ in range(AT_ONCE)))
    asking.cancel()
    return {
        "sent": strangers.sent,
        "seconds": perf_counter() - begin,
        "statuses": dict(sorted(strangers.statuses.items())),
        "sensible": dict(statuses),
        "longest_wait_ms": 1000 * max(waits),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(**json.load(sys.stdin)))))
