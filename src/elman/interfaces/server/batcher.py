"""Requests that wait are answered together, by one call of the network."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from elman.errors import ElmanError, OptionError


class Busy(ElmanError):
    """Too much waits already."""


@dataclass(eq=False)
class Waiting:
    """A request."""

    inputs: Sequence[Any]
    settings: dict[str, Any]
    answers: "asyncio.Future[list[Any]]" = field(repr=False)


class Batcher:
    """Answers requests of one model, those that wait and have the same settings together.

    While the network works on some, others come; so the more there is to do, the more is done at once, and a request
    alone does not wait for others.

    Args:
        predict: From inputs and settings to answers; runs in a thread of its own.
        together: Inputs that are answered by one call, at most; a request with more has a call of its own.
        queue: Inputs that wait, at most.
        workers: Calls that run at the same time, at most.
    """

    def __init__(self, predict: Callable[..., list[Any]], together: int, queue: int, workers: int = 1) -> None:
        self.predict, self.together, self.queue = predict, together, queue
        self.waiting: deque[Waiting] = deque()
        self.workers = workers
        self.threads = ThreadPoolExecutor(workers, thread_name_prefix="network")
        self.calls, self.answered, self.streams = 0, 0, 0
        self._working: set[asyncio.Task[None]] = set()

    @property
    def length(self) -> int:
        """Inputs that wait."""
        return sum(len(one.inputs) for one in self.waiting)

    async def answer(self, inputs: Sequence[Any], settings: dict[str, Any]) -> list[Any]:
        """Answers, once their turn has come; cancelled, they are asked for no more.

        Raises:
            Busy: Too much waits.
            OptionError: It is more than may ever wait.
            ElmanError: An input or a setting is impossible.
        """
        if len(inputs) > self.queue:
            raise OptionError(f"a request may have {self.queue:,} inputs; received {len(inputs):,}")
        if self.length + len(inputs) > self.queue:
            raise Busy(f"{self.length:,} inputs wait already, {self.queue:,} at most; come again")
        one = Waiting(inputs, settings, asyncio.get_running_loop().create_future())
        self.waiting.append(one)
        if len(self._working) < self.workers:
            task = asyncio.create_task(self._work())
            self._working.add(task)
            task.add_done_callback(self._working.discard)
        return await one.answers

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Something else in a thread of the network."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, guarded, function, *arguments)

    async def _work(self) -> None:
        while group := self._next():
            try:
                answers = await self.run(self._answered, [given for one in group for given in one.inputs], group[0])
            except ElmanError as error:
                await self._apart(group, error)
                continue
            except Exception as error:  # a mistake of ours: those who asked must hear of it, and the others go on
                _refuse(group, error)
                continue
            self.answered += len(answers)
            for one in group:
                own, answers = answers[: len(one.inputs)], answers[len(one.inputs) :]
                if not one.answers.done():
                    one.answers.set_result(own)

    def _next(self) -> list[Waiting]:
        """Requests that go together, the one that has waited longest among them; none where nobody waits."""
        group: list[Waiting] = []
        rest: deque[Waiting] = deque()
        count = 0
        while self.waiting and count < self.together:
            one = self.waiting.popleft()
            if one.answers.done():
                continue  # nobody waits for it any more
            if not group or (one.settings == group[0].settings and count + len(one.inputs) <= self.together):
                group.append(one)
                count += len(one.inputs)
            else:
                rest.append(one)
        self.waiting = rest + self.waiting
        return group

    def _answered(self, inputs: list[Any], one: Waiting) -> list[Any]:
        self.calls += 1
        answers = self.predict(inputs, **one.settings)
        if len(answers) != len(inputs):
            raise RuntimeError(f"{len(inputs)} inputs got {len(answers)} answers")
        return answers

    async def _apart(self, group: list[Waiting], error: ElmanError) -> None:
        """One of them is to blame: ask for each by itself."""
        if len(group) == 1:
            _refuse(group, error)
            return
        for one in group:
            try:
                found = await self.run(self._answered, list(one.inputs), one)
            except Exception as own:
                _refuse([one], own)
            else:
                self.answered += len(found)
                if not one.answers.done():
                    one.answers.set_result(found)

    async def finish(self, seconds: float) -> None:
        """Wait until all that wait are answered, for so long at most."""
        if self._working:
            await asyncio.wait(self._working, timeout=seconds)

    def close(self) -> None:
        """Finish what runs, and nothing more."""
        _refuse(list(self.waiting), Busy("the server stops; come again"))
        self.waiting.clear()
        self.threads.shutdown(wait=True)


def guarded(function: Callable[..., Any], *arguments: Any) -> Any:
    """A call whose every error can be handed on: asyncio loses a StopIteration."""
    try:
        return function(*arguments)
    except StopIteration as error:
        raise RuntimeError("something ended that should not") from error


def _refuse(group: Sequence[Waiting], error: Exception) -> None:
    for one in group:
        if not one.answers.done():
            one.answers.set_exception(error)
