"""Sessions that are going on: those that have something to do go on together, in one batch of the network."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import inf
from secrets import token_hex
from time import monotonic
from typing import Any

from elman.interfaces.server.batcher import Busy, guarded
from elman.interfaces.server.limits import Limits
from elman.interfaces.server.memory import tidy_up
from elman.interfaces.server.problems import MISTAKE
from elman.tasks import Event, Live, Talk

LAST = 2.0
"""Seconds in which sessions finish what waits when the server stops."""
CALLS = 10
"""Calls of the network after which memory is looked through."""
UNSENT = 256
"""Events that wait to be sent in one session; with more, it stands still until somebody reads them."""

log = logging.getLogger("elman.server")


class Seat:
    """A session: a conversation, and what it has to tell.

    Args:
        talk: The conversation.
    """

    def __init__(self, talk: Talk) -> None:
        self.talk, self.name = talk, token_hex(8)
        self.out: deque[Event] = deque()
        self.news = asyncio.Event()
        """Set when there is something in `out`."""
        self.room = asyncio.Event()
        """Set when more can be taken in."""
        self.messages = 0
        self.begun = self.active = monotonic()
        self.to_the_end = False
        """Must what is being written be written to its end, also when the server stops?"""

    def tell(self, events: Sequence[Event]) -> None:
        """Put something out."""
        if events:
            self.out.extend(events)
            self.news.set()
            self.active = monotonic()


class Floor:
    """Where the sessions of one model are.

    Args:
        live: Advances them.
        limits: How many there may be, and how long.
    """

    def __init__(self, live: Live, limits: Limits) -> None:
        self.live, self.limits = live, limits
        self.worker = ThreadPoolExecutor(1, thread_name_prefix="live")
        self.seats: set[Seat] = set()
        self.waiting: dict[Seat, None] = {}
        """Those with something to do, whoever has waited longest first."""
        self.calls, self.advanced, self.coming = 0, 0, 0
        self.stopping = False
        self.until = inf
        """After this moment no session goes on that can go on elsewhere."""
        self._loop: asyncio.Task[None] | None = None

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Something in the thread where the network is."""
        return await asyncio.get_running_loop().run_in_executor(self.worker, guarded, function, *arguments)

    async def open(self, settings: Mapping[str, Any], state: str | None = None) -> Seat:
        """A new session, or one that goes on.

        Raises:
            Busy: There are too many.
            OptionError: A setting is impossible.
            DataError: The state is of another model, or none.
        """
        if self.full:
            raise Busy(f"{len(self.seats):,} sessions are going on already; come again")
        self.coming += 1
        try:
            seat = Seat(await self.run(self.live.begin, settings, state))
        finally:
            self.coming -= 1
        if self.stopping:
            raise Busy("the server stops; come again")
        self.seats.add(seat)
        self.wake(seat)
        return seat

    @property
    def full(self) -> bool:
        """Can no more come?"""
        return self.stopping or len(self.seats) + self.coming >= self.limits.sessions

    def leave(self, seat: Seat) -> None:
        """A session that has ended."""
        self.seats.discard(seat)
        self.waiting.pop(seat, None)
        seat.room.set()  # whoever waits for it need not any more

    def wake(self, seat: Seat) -> None:
        """It may have something to do."""
        if seat in self.seats and seat.talk.waiting and len(seat.out) < UNSENT and self._goes_on(seat):
            self.waiting.setdefault(seat)
            if self._loop is None or self._loop.done():
                self._loop = asyncio.create_task(self._work())

    def _goes_on(self, seat: Seat) -> bool:
        return seat.to_the_end or monotonic() < self.until

    async def _work(self) -> None:
        while self.waiting:
            group = [seat for seat, _ in zip([*self.waiting], range(self.limits.advanced), strict=False)]
            for seat in group:
                del self.waiting[seat]
            try:
                told = await self.run(self.live.advance, [seat.talk for seat in group])
            except Exception:
                log.exception("sessions failed")
                told = [[{"type": "error", "error": MISTAKE}, {"type": "closed", "reason": "it failed"}]] * len(group)
                for seat in group:
                    self.leave(seat)
            self.calls, self.advanced = self.calls + 1, self.advanced + len(group)
            for seat, events in zip(group, told, strict=True):
                seat.tell(events)
                seat.room.set()
                self.wake(seat)

    async def export(self, seat: Seat) -> str:
        """What a session remembers, once all that came is in it."""
        while seat.talk.inbox and seat in self.seats and not self.stopping:
            seat.room.clear()
            await seat.room.wait()
        return await self.run(self.live.export, seat.talk)

    async def close(self, seat: Seat, reason: str) -> None:
        """End a session; its last message carries what it remembers."""
        if seat in self.seats:
            self.leave(seat)
            closed: Event = {"type": "closed", "reason": reason}
            try:
                closed |= {"state": await self.export(seat), "taken": seat.talk.taken}
            except Exception:
                log.exception("a session could not be exported")
            seat.tell([closed])

    async def watch(self) -> None:
        """End sessions that are too old, or in which nothing happens; and give memory back when there is time."""
        tidied = self.calls
        while True:
            await asyncio.sleep(1)
            now = monotonic()
            if self.calls - tidied > CALLS and not self.waiting:
                tidied = self.calls
                await self.run(tidy_up)
            for seat in [*self.seats]:
                if now - seat.begun > self.limits.session_seconds:
                    await self.close(seat, f"a session may last {self.limits.session_seconds:g} seconds")
                elif now - seat.active > self.limits.idle_seconds:
                    await self.close(seat, f"nothing came for {self.limits.idle_seconds:g} seconds")

    async def stop(self, seconds: float) -> None:
        """Take nothing more in, finish what waits, and end all sessions.

        Args:
            seconds: For what must come to its end, at most.
        """
        self.stopping, self.until = True, monotonic() + LAST
        end = monotonic() + seconds
        await self._while(lambda: any(self._goes_on(seat) for seat in self.waiting), end)
        for seat in [seat for seat in self.seats if not seat.to_the_end]:
            await self.close(seat, "the server stops")
        await self._while(lambda: bool(self.seats), end)

    async def _while(self, going: Callable[[], bool], end: float) -> None:
        while (going() or not (self._loop is None or self._loop.done())) and monotonic() < end:
            await asyncio.sleep(0.02)

    def shut(self) -> None:
        """Give the thread back."""
        self.worker.shutdown(wait=True)
