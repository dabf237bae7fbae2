"""Sessions over a WebSocket: what comes in goes to the network, what it says goes out."""

import asyncio
import logging
from contextlib import suppress
from time import monotonic
from typing import Any

import msgspec
from fastapi import WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse

from elman.errors import DataError, ElmanError
from elman.interfaces.server.floor import Floor, Seat
from elman.interfaces.server.problems import MISTAKE
from elman.interfaces.server.service import Service

PROTOCOL = "elman"
NORMAL, REFUSED, RESTART = 1000, 1008, 1012
"""Why a connection is closed, in the numbers of RFC 6455."""

log = logging.getLogger("elman.server")


class Start(msgspec.Struct, tag_field="type", tag="start", forbid_unknown_fields=True):
    """The first message."""

    settings: dict[str, Any] = {}
    state: str | None = None


class Text(msgspec.Struct, tag_field="type", tag="text", forbid_unknown_fields=True):
    """Something to read."""

    text: str


class Write(msgspec.Struct, tag_field="type", tag="write", forbid_unknown_fields=True):
    """An answer is wanted."""

    settings: dict[str, Any] = {}


class Finish(msgspec.Struct, tag_field="type", tag="finish", forbid_unknown_fields=True):
    """What was said ends here."""


class Export(msgspec.Struct, tag_field="type", tag="export", forbid_unknown_fields=True):
    """What the session remembers is wanted."""


Message = Start | Text | Write | Finish | Export

read_message = msgspec.json.Decoder(Message).decode
write_message = msgspec.json.Encoder().encode


async def speak(service: Service, socket: WebSocket) -> None:
    """Answer a WebSocket with a session, or say why there is none."""
    floor = service.floor
    if floor is None:
        words = f"models like this one of {service.task.name} have no sessions; ask POST /v1/predict"
        await socket.send_denial_response(JSONResponse({"error": words}, 404))
    elif floor.full:
        words = "too many sessions are going on; come again"
        await socket.send_denial_response(JSONResponse({"error": words}, 429, {"Retry-After": "1"}))
    else:
        await socket.accept(PROTOCOL if PROTOCOL in socket.scope["subprotocols"] else None)
        try:
            await _Session(service, floor, socket).run()
        except WebSocketDisconnect:
            pass
        except Exception:
            log.exception("a session failed")


class _Session:
    """One connection."""

    def __init__(self, service: Service, floor: Floor, socket: WebSocket) -> None:
        self.service, self.floor, self.socket = service, floor, socket

    async def run(self) -> None:
        seat = await self._begin()
        if seat is None:
            return
        live = self.floor.live
        seat.tell([{"type": "started", "session": seat.name, "takes": live.takes, "rate": live.rate}])
        sender = asyncio.create_task(self._send(seat))
        try:
            await self._receive(seat)
        finally:
            self.floor.leave(seat)
            sender.cancel()
            with suppress(asyncio.CancelledError, WebSocketDisconnect):
                await sender
            seconds = round(monotonic() - seat.begun, 1)
            line = {"route": "/v1/stream", "method": "WS", "messages": seat.messages, "seconds": seconds}
            log.info("session", extra={"line": line})

    async def _begin(self) -> Seat | None:
        """The session that the first message asks for; None where it cannot be."""
        try:
            message = await asyncio.wait_for(self.socket.receive(), self.service.limits.seconds)
            if message["type"] == "websocket.disconnect":
                return None
            start = _read(message)
            if not isinstance(start, Start):
                raise DataError('a session expects {"type": "start"} first; received another message')
            self.service.check({name: value for name, value in start.settings.items() if name != "seed"})
            seat = await self.floor.open(start.settings, start.state)
        except (ElmanError, TimeoutError) as error:
            words = str(error) or "a session expects its first message sooner"
            await self._say({"type": "error", "error": words})
            await self.socket.close(REFUSED)
            return None
        except Exception:
            log.exception("a session could not begin")
            await self._say({"type": "error", "error": MISTAKE})
            await self.socket.close(REFUSED)
            return None
        return seat

    async def _receive(self, seat: Seat) -> None:
        while True:
            message = await self.socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            while seat.talk.full and seat in self.floor.seats:
                seat.room.clear()
                await seat.room.wait()
            if self.floor.stopping or seat not in self.floor.seats:
                continue  # the closing message says how much was taken in
            try:
                await self._take(seat, message)
            except ElmanError as error:
                seat.tell([{"type": "error", "error": str(error)}])
            seat.messages += 1
            seat.active = monotonic()
            self.floor.wake(seat)

    async def _take(self, seat: Seat, message: Any) -> None:
        samples = message.get("bytes")
        if samples is not None:
            seat.talk.hear(samples)
            return
        match _read(message):
            case Text(text):
                self.service.check_text(text)
                seat.talk.read(text)
            case Write(settings):
                self.service.check(settings)
                seat.talk.write(settings)
            case Finish():
                seat.talk.finish()
            case Export():
                state = await self.floor.export(seat)
                seat.tell([{"type": "state", "taken": seat.talk.taken, "state": state}])
            case _:
                raise DataError("a session starts once; received another start")

    async def _send(self, seat: Seat) -> None:
        while True:
            await seat.news.wait()
            seat.news.clear()
            while seat.out:
                event = seat.out.popleft()
                await self._say(event)
                if event["type"] == "closed":
                    await self.socket.close(RESTART if self.floor.stopping else NORMAL, event["reason"][:100])
                    return
            self.floor.wake(seat)

    async def _say(self, event: dict[str, Any]) -> None:
        await self.socket.send_text(write_message(event).decode())


def _read(message: Any) -> Message:
    """A message that is JSON.

    Raises:
        DataError: It is none, or of another form.
    """
    try:
        return read_message(message.get("text") or message.get("bytes") or b"")
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise DataError(f"a message expects one of start, text, write, finish, export as JSON; {error}") from None
