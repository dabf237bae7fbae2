"""What a team of threads does in one call: a list of functions and their words, which all threads walk through.

The list is put together once, with holes where a call's own addresses go; a call fills them in, in one sweep, and runs.

Between two entries threads may wait for each other. Every thread has a flag, a number that it raises when it comes to
wait, and looks until all other flags are as high: one line of memory goes from core to core, where the team's own
barrier needs two, and a loop over time that waits at every step feels it. Who waits for long gives the processor away.
"""

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from elman.engine.backends.llvm import team
from elman.engine.backends.llvm.cache import addresses
from elman.engine.backends.llvm.memory import ALIGNED
from elman.engine.backends.llvm.target import Target, host
from elman.engine.backends.llvm.text import Writer, joined

TEAM = ("threads", "number", "rest")
"""Words that a team shares: how many threads there are, a function that tells a thread's number, and one that gives the
processor to somebody else."""
FLAG = 16
"""From one thread's flag to the next, in words: lines of memory of their own, and their neighbours', which processors
read in pairs."""
PATIENCE = 2048
"""Looks at a flag before the processor is given away."""

PAUSES = {"x86": 'call void asm sideeffect "pause", ""()', "aarch64": 'call void asm sideeffect "yield", ""()'}
WORD = 8
"""Bytes in a word."""


@dataclass(frozen=True)
class Place:
    """An address in something that a call brings, or in the walk itself."""

    base: str
    offset: int = 0
    """In bytes."""

    def __add__(self, more: int) -> "Place":
        return Place(self.base, self.offset + more)


def aligned(size: int) -> int:
    """Bytes up to where the next piece of memory may start."""
    return -(-size // ALIGNED) * ALIGNED


Words = ctypes.Array


def words(values: Sequence[int]) -> Words:
    """An array that functions look up."""
    return (ctypes.c_int64 * len(values))(*values)


@lru_cache(maxsize=4096)
def shares(total: int, parts: int, first: int = 0) -> Words:
    """Equal shares of what starts at `first`, a pair of bounds for each thread."""
    bounds = [first + total * i // parts for i in range(parts + 1)]
    return words([bound for pair in pairwise(bounds) for bound in pair])


@lru_cache(maxsize=256)
def whole(total: int, parts: int) -> Words:
    """All of it for each thread."""
    return words([0, total] * parts)


Word = int | Place
"""What a function is told: a number, or an address."""


class Walk:
    """A list in the making.

    Args:
        threads: How many shall walk through it.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._words: list[Word] = [threads, team.number_address(), team.rest_address()]
        self._words += [0] * (FLAG * (threads + 2))
        self._pairs: list[Word] = []
        self._held: list[object] = []
        self._room = 0

    @property
    def team(self) -> dict[str, Word]:
        """What a function must know of the team."""
        return {"number": team.number_address(), "wait": functions()["wait"], "team": Place("walk")}

    def table(self, words: Sequence[Word]) -> Place:
        """Words that a function looks up."""
        place = Place("walk", len(self._words) * WORD)
        self._words += words
        return place

    def add(self, function: int, call: Sequence[Word] | Words) -> None:
        """All threads run a function; each finds its share in the words of the call, which may lie elsewhere."""
        if isinstance(call, ctypes.Array):
            self.hold(call)
        self._pairs += [function, ctypes.addressof(call) if isinstance(call, ctypes.Array) else self.table(call)]

    def wait(self) -> None:
        """Threads wait for each other."""
        if self.threads > 1:
            self._pairs += [functions()["wait"], Place("walk")]

    def room(self, size: int) -> Place:
        """So many bytes of memory, for as long as the walk takes."""
        place = Place("room", self._room)
        self._room += aligned(size)
        return place

    def hold(self, something: object) -> None:
        """Keep it alive as long as the list."""
        self._held.append(something)

    def ready(self) -> "Course":
        """The list, ready for calls."""
        start = self.table([len(self._pairs) // 2, *self._pairs])
        return Course(self._words, start.offset, self._room, self.threads, self._held)


class Course:
    """A list that is put together, but for the addresses of a call.

    Args:
        words: All words that functions are told.
        start: Where the list starts in them, in bytes.
        room: Bytes of memory that a call must bring, as "room".
        threads: How many walk.
        held: What must live as long.
    """

    def __init__(self, words: Sequence[Word], start: int, room: int, threads: int, held: Sequence[object]) -> None:
        self.room, self.threads, self._start, self._held = room, threads, start, held
        bases = dict.fromkeys(word.base for word in words if isinstance(word, Place))
        self.bases = tuple(base for base in bases if base != "walk")
        """What a call must bring."""
        number = {base: i for i, base in enumerate((None, "walk", *self.bases))}
        self._which = np.array([number[word.base] if isinstance(word, Place) else 0 for word in words])
        self._offsets = np.array([word.offset if isinstance(word, Place) else word for word in words])

    def filled(self, given: Mapping[str, Tensor | None]) -> tuple[np.ndarray, int]:
        """The words of one call, and the address of its list."""
        words = np.empty_like(self._offsets)
        here = words.ctypes.data
        tensors = (given[base] for base in self.bases)
        table = np.array([0, here, *(0 if each is None else each.data_ptr() for each in tensors)])
        table.take(self._which, out=words, mode="clip")
        words += self._offsets
        return words, here + self._start

    def run(self, given: Mapping[str, Tensor | None]) -> None:
        """Walk.

        Args:
            given: What a call brings, by name; None is no address.
        """
        words, start = self.filled(given)
        team.run(functions()["walk"], start, self.threads)
        del words  # has lived until here


@cache
def functions() -> dict[str, int]:
    """Addresses of `walk` and `wait`."""
    return addresses(joined([_walk(), _wait(host())]), ("walk", "wait"))


def _walk() -> str:
    """`walk`: a number, then so many pairs of a function and its words; one after the other."""
    w = Writer(torch.float32, 1)
    pairs = w.element("%list", "1", "ptr")
    with w.loop("0", w.assign("load i64, ptr %list")) as number:
        pair = w.element(pairs, w.i64("mul", number, "2"), "ptr")
        function = w.assign(f"load ptr, ptr {pair}")
        call = w.assign(f"load ptr, ptr {w.element(pair, '1', 'ptr')}")
        w.do(f"call void {function}(ptr {call})")
    return w.function("void @walk(ptr %list)")


def _wait(target: Target) -> str:
    """`wait`: raise the own flag, then look at each other until it is as high."""
    w = Writer(torch.float32, 1)

    def word(name: str, kind: str) -> str:
        return w.assign(f"load {kind}, ptr {w.element('%team', str(TEAM.index(name)), 'i64')}")

    def flag(thread: str) -> str:
        return w.element("%team", w.i64("mul", w.i64("add", thread, "1"), str(FLAG)), "i64")

    rest, own = word("rest", "ptr"), flag(w.thread(word("number", "ptr")))
    high = w.i64("add", w.assign(f"load i64, ptr {own}"), "1")
    w.do(f"store atomic i64 {high}, ptr {own} release, align 8")
    looks = w.alloca("i64")
    with w.loop("0", word("threads", "i64")) as thread:
        theirs = flag(thread)
        look, lower, tired, done = (w.label() for _ in range(4))
        w.do(f"store i64 0, ptr {looks}")
        w.do(f"br label %{look}")
        w.place(look)
        seen = w.assign(f"load atomic i64, ptr {theirs} acquire, align 8")
        w.do(f"br i1 {w.assign(f'icmp slt i64 {seen}, {high}')}, label %{lower}, label %{done}")
        w.place(lower)
        w.do(next((pause for name, pause in PAUSES.items() if target.triple.startswith(name)), ""))
        count = w.i64("add", w.assign(f"load i64, ptr {looks}"), "1")
        w.do(f"store i64 {count}, ptr {looks}")
        w.do(f"br i1 {w.assign(f'icmp sgt i64 {count}, {PATIENCE}')}, label %{tired}, label %{look}")
        w.place(tired)
        w.do(f"call i32 {rest}()")
        w.do(f"br label %{look}")
        w.place(done)
    return w.function("void @wait(ptr %team)")
