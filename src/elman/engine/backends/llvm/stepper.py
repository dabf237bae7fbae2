"""One step at a time: calls of kernels that are laid out once, and then only run.

States lie in two halves that are used in turn, so each kernel has two calls, one for either turn. The calls of all
cells stand in a list that compiled code walks through: Python makes a single call a step.

Key: B batch, I input size, O output size.
"""

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import torch
from torch import Tensor

from elman.engine.backends.llvm import team
from elman.engine.backends.llvm.cache import addresses
from elman.engine.backends.llvm.library import library
from elman.engine.backends.llvm.memory import take
from elman.engine.backends.llvm.program import Program
from elman.engine.backends.llvm.rows import rows
from elman.engine.backends.llvm.text import Writer, joined
from elman.engine.backends.llvm.walk import Place, Walk, Word, functions, shares, whole, words

ALONE = 1 << 18
"""Multiplications up to which a second thread costs more than it brings: starting a team takes microseconds."""
BRIEF = 1 << 20
"""Multiplications up to which Python's lock is kept: whoever took it meanwhile would hold the step up for longer."""
MANY = 8
"""Rows for each thread from which on threads share the rows of a step, rather than the blocks of its products."""

ADD = ("from", "to", "share", "number")
"""Words of the function that adds numbers to what is there."""

Address = int


@dataclass(frozen=True)
class Link:
    """One cell of a step.

    Args:
        program: Its kernels.
        weights: What its prelude gave.
        contexts: Tensors (B, ...) that every step sees.
        residual: Is its input added to its output?
    """

    program: Program
    weights: tuple[Tensor, ...]
    contexts: tuple[Tensor, ...] = ()
    residual: bool = False


class Stepper:
    """Memory and calls for steps through cells that stand on top of each other.

    Args:
        links: The cells, the lowest first. Their weights are packed here, once.
        input_size: I.
        batch: B.

    Attributes:
        x: (B, I), where the input of a step is to lie.
        output: (B, O), where its output will lie.
        states: For each cell, for each tensor of its state: (2, B, ...), the halves.
        run: Takes a step, when it is given a list of calls.
        calls: Two lists: one reads the first half of the states and writes the second, one the other way round.
        fetching: The same for an input (B, I) that lies elsewhere: where is to be put into `source[0]`.
    """

    def __init__(self, links: Sequence[Link], input_size: int, batch: int) -> None:
        self.batch, self.dtype = batch, links[0].program.dtype
        self._rows = rows(1, batch, None, None, False, False)
        work = batch * sum(link.program.kernel("inference").work for link in links)
        self.threads = team.threads() if work > ALONE else 1
        self.x = self.output = torch.zeros(batch, input_size, dtype=self.dtype)
        self.states: list[list[Tensor]] = []
        self._alive: list[object] = []
        """What the calls point at."""
        self._links = [self._linked(link) for link in links]
        share = shares(batch, self.threads)
        place = self.x.data_ptr(), 0, self.x[0].nbytes, ctypes.addressof(share), team.number_address()
        self.source = words([0, *place])
        self._alive += [links, share, self.source]
        self.calls = self._course(0, False), self._course(1, False)
        self.fetching = self._course(0, True), self._course(1, True)
        self.run = _runner(work, self.threads)

    @property
    def stale(self) -> bool:
        """Was the number of threads changed, or the process forked?"""
        return self.threads > 1 and self.threads != team.threads()

    def _linked(self, link: Link) -> Callable[[Walk, int], None]:
        """Memory for one more cell, and what puts its step into a walk, for either turn."""
        x, kernel, brief = self.output, link.program.kernel("inference"), link.program.brief
        self.output = y = torch.zeros(self.batch, *brief.output, dtype=self.dtype)
        self.states.append([torch.zeros(2, self.batch, *shape, dtype=self.dtype) for shape in brief.states])
        found = self._found(link, x)
        panels = self._packed(link)
        places = {key: tensor.data_ptr() for key, tensor in found.items()}
        self._alive += [found, panels]
        parts = self.threads if self.batch < MANY * self.threads else 1
        share = whole(self.batch, parts) if parts > 1 else shares(self.batch, self.threads)

        def add(walk: Walk, turn: int) -> None:
            tables = {"share": ctypes.addressof(share), "first": 0, "last": 1, "onward": 1, "parts": parts}
            tables |= self._rows.tables | walk.team
            if turn:
                tables |= {"before": tables["after"], "after": tables["before"]}
            walk.hold(share)
            walk.add(kernel.loop, kernel.call(tables, places, [panel.data_ptr() for panel in panels]))
            if link.residual and x.shape == y.shape:
                walk.add(_addition(self.dtype), self._addition(x, y))
                walk.wait()

        return add

    def _found(self, link: Link, x: Tensor) -> dict[tuple[str, int], Tensor]:
        """The tensors behind a kernel's buffers."""
        found = {("x", 0): x, ("output", 0): self.output}
        for number, state in enumerate(self.states[-1]):
            found["state", number] = found["after", number] = state
        for number, context in enumerate(link.contexts):
            found["context", number] = _copy(context.detach().to(self.dtype))
        values = link.program.weights.computed(link.weights)
        for buffer in link.program.kernel("inference").brief.buffers:
            if buffer.role == "weight":
                found["weight", buffer.number] = _copy(values[buffer.number])
            elif buffer.role == "value":
                found["value", buffer.number] = torch.zeros(self.batch, buffer.size, dtype=self.dtype)
        return found

    def _packed(self, link: Link) -> list[Tensor]:
        """A cell's weights, packed."""
        tensors, lying = link.program.weights(link.weights)
        given = {f"weight {i}": tensor for i, tensor in enumerate(tensors)}
        walk, function = Walk(self.threads), library(self.dtype)["pack"]
        for number, panel in enumerate(link.program.kernel("inference").brief.panels):
            given[f"panel {number}"] = take(self.dtype, panel.size)
            panel.pack(function, lying.weights, Place(f"panel {number}"), walk, self.dtype.itemsize)
        walk.ready().run(given)
        return [tensor for name, tensor in given.items() if name.startswith("panel")]

    def _addition(self, x: Tensor, y: Tensor) -> list[Word]:
        """The call that adds one tensor to another; each thread takes the rows that it computes."""
        share = words([bound * x.shape[1] for bound in shares(self.batch, self.threads)])
        self._alive.append(share)
        given = {"from": x.data_ptr(), "to": y.data_ptr(), "share": ctypes.addressof(share)}
        return [{**given, "number": team.number_address()}[name] for name in ADD]

    def _course(self, turn: int, fetch: bool) -> Address:
        """Where the list of all calls of a step starts."""
        walk = Walk(self.threads)
        if fetch:
            walk.add(library(self.dtype)["move"], self.source)
            walk.wait()
        for add in self._links:
            add(walk, turn)
        course = walk.ready()
        held, start = course.filled({})
        self._alive += [course, held]
        return start


def _copy(value: Tensor) -> Tensor:
    """Memory of its own, as packed weights have: a parameter that is written to does not reach half of the step."""
    return value.clone(memory_format=torch.contiguous_format)


def _runner(work: int, threads: int) -> Callable[[Address], None]:
    """What walks through a list of calls."""
    walk, found = functions()["walk"], team.team()
    if threads > 1 and found is not None:
        return lambda calls: found.run(walk, calls, threads)
    return _foreign(walk, work <= BRIEF)


@cache
def _foreign(function: Address, locked: bool) -> Callable[[Address], None]:
    """A compiled function as one of Python, which keeps Python's lock or gives it away."""
    kind = ctypes.PYFUNCTYPE if locked else ctypes.CFUNCTYPE
    return kind(None, ctypes.c_void_p)(function)  # pyright: ignore[reportReturnType]


@lru_cache(maxsize=2)
def _addition(dtype: torch.dtype) -> Address:
    """`add`: each thread adds its share of numbers to what is there."""
    w = Writer(dtype, 1)

    def word(name: str, kind: str = "ptr") -> str:
        return w.assign(f"load {kind}, ptr {w.element('%call', str(ADD.index(name)), 'i64')}")

    thread = w.thread(word("number"))
    low, high = w.own_share(word("share"), thread)
    source, to = word("from"), word("to")
    with w.loop(low, high) as number:
        place = w.element(to, number)
        value = w.assign(f"load {w.scalar}, ptr {w.element(source, number)}")
        held = w.assign(f"load {w.scalar}, ptr {place}")
        value = w.assign(f"fadd {w.scalar} {value}, {held}")
        w.do(f"store {w.scalar} {value}, ptr {place}")
    return addresses(joined([w.function("void @add(ptr %call)")]), ("add",))["add"]
