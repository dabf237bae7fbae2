"""Load for a server, from a process of its own: python benchmarks/serving/load.py KIND; settings come in as JSON.

    sessions    {"port", "count", "seconds", "sound"}: people who speak, samples of 16 bits at 8,000 Hz as hexadecimals
    idle        {"port", "count", "pid", "sound"}: people who have spoken for a second, how the memory grew
    requests    {"port", "clients", "seconds", "path", "bodies"}: those who wait for an answer before they ask again
    first       {"port", "rounds", "body"}: the time until the first piece of a stream

Each prints one line of JSON.
"""

import asyncio
import json
import sys
from pathlib import Path
from random import Random
from statistics import quantiles
from time import perf_counter
from typing import Any

from wire import BINARY, TEXT, answered, frame, line, request

EVERY = 0.1
"""Seconds from one message to the next."""
SAMPLES = 800
"""Of a message."""


class Person:
    """Somebody who speaks, ten messages a second, and waits for what is heard."""

    def __init__(self, frames: list[bytes], samples: int) -> None:
        self.frames, self.samples = frames, samples
        self.sent: list[float] = []
        self.delays: list[float] = []
        self.started, self.failed = asyncio.Event(), False

    def hear(self, content: bytes | None) -> None:
        """What the server says; nothing at the end."""
        now = perf_counter()
        if content is None or b'"error"' in content[:20]:
            self.failed = content is not None or len(self.delays) < len(self.sent)
            self.started.set()
        elif b'"partial"' in content[:30]:
            heard = int(content.partition(b'"heard":')[2].partition(b",")[0])
            while len(self.delays) < heard // self.samples:
                self.delays.append(now - self.sent[len(self.delays)])
        else:
            self.started.set()

    async def speak(self, port: int, start: float, seconds: float) -> None:
        """All of it."""
        socket = await line(port, self.hear)
        socket.transport.write(frame(TEXT, b'{"type":"start"}'))
        await self.started.wait()
        number, loop = 0, asyncio.get_running_loop()
        while (due := start + number * EVERY) < start + seconds and not self.failed:
            await asyncio.sleep(max(0.0, due - loop.time()))
            self.sent.append(perf_counter())
            socket.transport.write(self.frames[number % len(self.frames)])
            number += 1
        await asyncio.sleep(2)
        socket.transport.close()


def said(sound: str) -> list[bytes]:
    """Messages of 0.1 s."""
    content = bytes.fromhex(sound)
    return [frame(BINARY, content[place : place + 2 * SAMPLES]) for place in range(0, len(content), 2 * SAMPLES)][:-1]


async def sessions(port: int, count: int, seconds: float, sound: str) -> dict[str, Any]:
    """So many people at once, who begin within one tenth of a second, each somewhere else in the sound."""
    random, frames = Random(0), said(sound)
    places = [random.randrange(len(frames)) for _ in range(count)]
    people = [Person(frames[place:] + frames[:place], SAMPLES) for place in places]
    start = asyncio.get_running_loop().time() + 1 + count / 400
    await asyncio.gather(*(person.speak(port, start + EVERY * random.random(), seconds) for person in people))
    delays = sorted(delay for person in people for delay in person.delays)
    sent = sum(len(person.sent) for person in people)
    return {
        "sessions": count,
        "sent": sent,
        "lost": sent - len(delays) + sum(person.failed for person in people),
        "p50_ms": 1000 * delays[len(delays) // 2] if delays else None,
        "p99_ms": 1000 * delays[int(len(delays) * 0.99)] if delays else None,
    }


async def idle(port: int, count: int, pid: int, sound: str) -> dict[str, Any]:
    """What a session costs in which nothing happens any more; the first ones are not counted."""
    frames = said(sound)

    async def opened() -> None:
        person = Person(frames, SAMPLES)
        socket = await line(port, person.hear)
        kept.append(socket)
        socket.transport.write(frame(TEXT, b'{"type":"start"}'))
        for each in frames[:10]:
            person.sent.append(perf_counter())
            socket.transport.write(each)
            await asyncio.sleep(EVERY)
        while len(person.delays) < 10:
            await asyncio.sleep(0.01)

    kept: list[Any] = []
    sizes = []
    for number in (50, count):
        for _ in range(number // 50):
            await asyncio.gather(*(opened() for _ in range(50)))
        await asyncio.sleep(3)  # nothing happens any more
        sizes.append(resident(pid))
    return {"count": count, "kilobytes": (sizes[1] - sizes[0]) / count}


def resident(pid: int) -> int:
    """Kilobytes of memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


async def requests(port: int, clients: int, seconds: float, path: str, bodies: list[Any]) -> dict[str, Any]:
    """So many clients at once."""
    asked = [request(path, json.dumps(body).encode(), port) for body in bodies]
    times: list[float] = []
    wrong: list[int] = []
    end = perf_counter() + seconds

    async def client(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (begin := perf_counter()) < end:
            writer.write(asked[number % len(asked)])
            status, _ = await answered(reader)
            times.append(perf_counter() - begin)
            wrong.extend([status] if status != 200 else [])
            number += clients
        writer.close()

    begin = perf_counter()
    await asyncio.gather(*(client(number) for number in range(clients)))
    cuts = quantiles(times, n=100)
    rate = len(times) / (perf_counter() - begin)
    return {"per_second": rate, "p50_ms": 1000 * cuts[49], "p99_ms": 1000 * cuts[98], "wrong": len(wrong)}


async def first(port: int, rounds: int, body: Any) -> dict[str, Any]:
    """From a request to the first piece, one after the other."""
    times = []
    for _ in range(rounds):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        begin = perf_counter()
        writer.write(request("/v1/stream", json.dumps(body).encode(), port))
        await reader.readuntil(b"event: piece")
        times.append(perf_counter() - begin)
        writer.close()
    return {"first_ms": 1000 * sorted(times)[rounds // 2], "slowest_ms": 1000 * max(times)}


if __name__ == "__main__":
    kind = {"sessions": sessions, "idle": idle, "requests": requests, "first": first}[sys.argv[1]]
    print(json.dumps(asyncio.run(kind(**json.load(sys.stdin)))))
