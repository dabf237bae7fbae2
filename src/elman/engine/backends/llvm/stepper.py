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
from elman.engine.backends.llvm.program import Program, shares, words
from elman.engine.backends.llvm.rows import rows
from elman.engine.backends.llvm.text import Writer, joined

ALONE = 1 << 18
"""Multiplications up to which a second thread costs more than it brings: starting a team takes microseconds."""
BRIEF = 1 << 20
"""Multiplications up to which Python's lock is kept: whoever took it meanwhile would hold the step up for longer."""
MANY = 8
"""Rows for each thread from which on threads share the rows of a step, rather than the blocks of its products."""

MOVE = ("from", "to", "share", "number", "barrier")
"""Words of the functions that copy numbers, or add them to what is there."""

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
        self._alive: list[object] = [links, self._rows]
        """What the calls point at."""
        work = batch * sum(link.program.kernel("inference").work for link in links)
        self.threads = team.threads() if work > ALONE else 1
        self.x = torch.zeros(batch, input_size, dtype=self.dtype)
        self.states: list[list[Tensor]] = []
        lists: tuple[list[Address], list[Address]] = ([], [])
        self.output = self.x
        for link in links:
            self._append(link, lists)
        self.source, fetch = self._move(self.x, self.x)
        fetch = [_functions(self.dtype)["copy"], fetch]
        self.calls = self._listed(lists[0]), self._listed(lists[1])
        self.fetching = self._listed([*fetch, *lists[0]]), self._listed([*fetch, *lists[1]])
        self.run = _runner(self.dtype, work, self.threads)

    @property
    def stale(self) -> bool:
        """Was the number of threads changed, or the process forked?"""
        return self.threads > 1 and self.threads != team.threads()

    def _append(self, link: Link, lists: tuple[list[Address], list[Address]]) -> None:
        """One more cell: a function and its call in each list."""
        x, step = self.output, link.program.plan.step
        self.output = torch.zeros(self.batch, step.output.size, dtype=self.dtype)
        self.states.append([torch.zeros(2, self.batch, *node.shape, dtype=self.dtype) for node in step.states])
        loop = link.program.kernel("inference").loop
        for one, call in zip(lists, self._calls(link, x), strict=True):
            one += [loop, call]
        if link.residual and x.shape == self.output.shape:
            _, addition = self._move(x, self.output)
            for one in lists:
                one += [_functions(self.dtype)["add"], addition]

    def _calls(self, link: Link, x: Tensor) -> tuple[Address, Address]:
        """The calls of a cell's kernel for both turns."""
        kernel = link.program.kernel("inference")
        values = link.program.values(link.weights)
        panels, memory = link.program.packed(kernel, values)
        found = {("x", 0): x, ("output", 0): self.output}
        for number, state in enumerate(self.states[-1]):
            found["state", number] = found["after", number] = state
        for number, context in enumerate(link.contexts):
            found["context", number] = _copy(context.detach().to(self.dtype))
        for buffer in kernel.layout.buffers:
            if buffer.role == "weight":
                found["weight", buffer.number] = _copy(values[buffer.number])
            elif buffer.role == "value":
                found["value", buffer.number] = torch.zeros(self.batch, buffer.size, dtype=self.dtype)
        self._alive += [memory, found]
        pointers = {key: tensor.data_ptr() for key, tensor in found.items()}
        parts = self.threads if self.batch < MANY * self.threads else 1
        share = words([0, self.batch] * parts) if parts > 1 else shares(self.batch, self.threads)
        there = {"share": self._held(share), "first": 0, "last": 1, "onward": 1, "parts": parts} | self._rows.tables
        back = there | {"before": there["after"], "after": there["before"]}
        first, second = (self._held(kernel.call(tables, pointers, panels)) for tables in (there, back))
        return first, second

    def _move(self, x: Tensor, y: Tensor) -> tuple["ctypes.Array[ctypes.c_int64]", Address]:
        """The call that copies one tensor to another, or adds it; each thread takes the rows that it computes."""
        bounds = [bound * x.shape[1] for bound in shares(self.batch, self.threads)]
        given = {
            "from": x.data_ptr(), "to": y.data_ptr(), "share": self._held(words(bounds)),
            "number": team.number_address(), "barrier": team.barrier_address(),
        }  # fmt: skip
        call = words([given[name] for name in MOVE])
        return call, self._held(call)

    def _listed(self, pairs: Sequence[Address]) -> Address:
        return self._held(words([len(pairs) // 2, *pairs]))

    def _held(self, values: "ctypes.Array[ctypes.c_int64]") -> Address:
        self._alive.append(values)
        return ctypes.addressof(values)


def _copy(value: Tensor) -> Tensor:
    """Memory of its own, as packed weights have: a parameter that is written to does not reach half of the step."""
    return value.clone(memory_format=torch.contiguous_format)


def _runner(dtype: torch.dtype, work: int, threads: int) -> Callable[[Address], None]:
    """What walks through a list of calls."""
    walk, found = _functions(dtype)["walk"], team.team()
    if threads > 1 and found is not None:
        return lambda calls: found.run(walk, calls, threads)
    return _foreign(walk, work <= BRIEF)


@cache
def _foreign(function: Address, locked: bool) -> Callable[[Address], None]:
    """A compiled function as one of Python, which keeps Python's lock or gives it away."""
    kind = ctypes.PYFUNCTYPE if locked else ctypes.CFUNCTYPE
    return kind(None, ctypes.c_void_p)(function)  # pyright: ignore[reportReturnType]


@lru_cache(maxsize=2)
def _functions(dtype: torch.dtype) -> dict[str, Address]:
    text = joined([_walk(), _moving("copy", dtype), _moving("add", dtype)])
    return addresses(text, ("walk", "copy", "add"))


def _walk() -> str:
    """`walk`: a number, then so many pairs of a function and its call; one after the other."""
    w = Writer(torch.float32, 1)
    pairs = w.element("%list", "1", "ptr")
    with w.loop("0", w.assign("load i64, ptr %list")) as number:
        pair = w.element(pairs, w.i64("mul", number, "2"), "ptr")
        function = w.assign(f"load ptr, ptr {pair}")
        call = w.assign(f"load ptr, ptr {w.element(pair, '1', 'ptr')}")
        w.do(f"call void {function}(ptr {call})")
    return w.function("void @walk(ptr %list)")


def _moving(name: str, dtype: torch.dtype) -> str:
    """`copy` or `add`: each thread moves its share of numbers, and waits for the others."""
    w = Writer(dtype, 1)

    def word(name: str, kind: str = "ptr") -> str:
        return w.assign(f"load {kind}, ptr {w.element('%call', str(MOVE.index(name)), 'i64')}")

    thread = w.thread(word("number"))
    low, high = w.own_share(word("share"), thread)
    source, to = word("from"), word("to")
    with w.loop(low, high) as number:
        place = w.element(to, number)
        value = w.assign(f"load {w.scalar}, ptr {w.element(source, number)}")
        if name == "add":
            held = w.assign(f"load {w.scalar}, ptr {place}")
            value = w.assign(f"fadd {w.scalar} {value}, {held}")
        w.do(f"store {w.scalar} {value}, ptr {place}")
    w.do(f"call void {word('barrier')}()")
    return w.function(f"void @{name}(ptr %call)")
