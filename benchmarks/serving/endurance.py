"""Minutes of load through a restart, from a process of its own; settings come in as JSON.

{"port", "seconds", "people", "clients", "body"}: people speak in sessions, ten messages a second; clients ask again and
again. Somebody else stops the server meanwhile, and starts another one. A session that is closed goes on in the new
server from the state in its last message, and is compared at once with it, bit for bit; what is heard at the end is
compared with what is heard of the same sound without a break. Prints one line of JSON.
"""

import asyncio
import json
import sys
from collections import Counter
from contextlib import suppress
from random import Random
from typing import Any

from wire import BINARY, TEXT, Line, answered, frame, line, request

EVERY = 0.1
REFUSED = (429, 503)
"""Statuses by which somebody is asked to come again."""


async def patiently(port: int, hear: Any) -> Line:
    """A WebSocket, as soon as there is a server."""
    while True:
        with suppress(OSError):
            return await line(port, hear)
        await asyncio.sleep(0.1)


class Person:
    """Somebody who speaks the same for a while, and goes on elsewhere where a session is closed.

    Args:
        port: Of the server.
        pieces: What is said, in messages.
    """

    def __init__(self, port: int, pieces: list[bytes]) -> None:
        self.port, self.pieces = port, pieces
        self.heard: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self.moves, self.differences = 0, 0

    async def speak(self, *, slowly: bool) -> str | None:
        """All pieces, and what was heard; None where a session broke without a word."""
        place, state = 0, None
        while True:
            socket = await self._session(state)
            base, closed = place, None
            for piece in self.pieces[base:]:
                socket.transport.write(piece)
                closed = self._closed()
                if closed is not None or socket.transport.is_closing():
                    break
                await asyncio.sleep(EVERY if slowly else 0)
            if closed is None:
                socket.transport.write(frame(TEXT, b'{"type":"finish"}'))
                closed = await self._end()
            socket.transport.close()
            if closed is None or closed["type"] == "final":
                return closed and closed["text"]
            place, state = base + closed["taken"], closed["state"]
            self.moves += 1

    async def _session(self, state: str | None) -> Line:
        heard = self.heard = asyncio.Queue()  # its own, so that the end of the last one is not heard here
        socket = await patiently(
            self.port, lambda content: heard.put_nowait(None if content is None else json.loads(content))
        )
        start = {"type": "start"} | ({} if state is None else {"state": state})
        socket.transport.write(frame(TEXT, json.dumps(start).encode()))
        if state is not None:
            socket.transport.write(frame(TEXT, b'{"type":"export"}'))
            while (said := await self.heard.get()) is not None and said["type"] != "state":
                pass
            self.differences += said is None or said["state"] != state
        return socket

    def _closed(self) -> dict[str, Any] | None:
        while not self.heard.empty():
            said = self.heard.get_nowait()
            if said is not None and said["type"] == "closed":
                return said
        return None

    async def _end(self) -> dict[str, Any] | None:
        while (said := await self.heard.get()) is not None:
            if said["type"] in ("final", "closed"):
                return said
        return None


class Tally:
    """What became of all of it."""

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.lost, self.sessions, self.moves, self.differences, self.other_texts = 0, 0, 0, 0, 0


async def ask(port: int, asked: bytes, end: float, tally: Tally) -> None:
    """Again and again; an answer that does not come is lost, a connection that cannot be made is not."""
    loop = asyncio.get_running_loop()
    while loop.time() < end:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
            continue
        while loop.time() < end:
            writer.write(asked)
            try:
                status, stays = await answered(reader)
            except (OSError, EOFError):
                tally.lost += 1
                break
            tally.statuses[status] += 1
            if status in REFUSED or not stays:
                await asyncio.sleep(0.2)
                break
        writer.close()


async def talk(port: int, pieces: list[bytes], expected: str, end: float, tally: Tally) -> None:
    """Session after session."""
    while asyncio.get_running_loop().time() < end:
        person = Person(port, pieces)
        text = await person.speak(slowly=True)
        tally.sessions += 1
        tally.lost += text is None
        tally.moves += person.moves
        tally.differences += person.differences
        tally.other_texts += text is not None and text != expected


async def main(port: int, seconds: float, people: int, clients: int, body: Any, pieces: list[str]) -> dict[str, Any]:
    """All of them."""
    end, tally = asyncio.get_running_loop().time() + seconds, Tally()
    said = [frame(BINARY, bytes.fromhex(piece)) for piece in pieces]
    starts = [Random(number).randrange(len(said) // 2) for number in range(people)]
    expected = [await Person(port, said[start:]).speak(slowly=False) for start in starts]
    asked = request("/v1/predict", json.dumps(body).encode(), port)
    await asyncio.gather(
        *(talk(port, said[start:], text or "", end, tally) for start, text in zip(starts, expected, strict=True)),
        *(ask(port, asked, end, tally) for _ in range(clients)),
    )
    return vars(tally) | {"statuses": dict(tally.statuses)}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(**json.load(sys.stdin)))))
