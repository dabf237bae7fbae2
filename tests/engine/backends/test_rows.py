"""The tables that lead rows and steps to memory: a recurrence of one number runs over them, against a plain loop.

Key: T time, B batch, N rows at all steps, n one of them.
"""

import random
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from elman.engine.backends.llvm.rows import Rows, rows

SEEDS = range(60)


@dataclass
class Call:
    """Random lengths, resets and direction; at times none of them."""

    seed: int

    def __post_init__(self) -> None:
        draw = random.Random(self.seed)
        torch.manual_seed(self.seed)
        self.time, self.batch = draw.choice([0, 1, 2, 5, 9]), draw.choice([1, 2, 3, 7])
        self.reverse = draw.random() < 0.5
        lengths = [draw.randint(0, self.time) for _ in range(self.batch)]
        self.lengths = torch.tensor(lengths) if draw.random() < 0.7 else None
        self.resets = None
        if draw.random() < 0.6:
            self.resets = torch.rand(self.time, self.batch) < draw.choice([0.1, 0.4, 1.0])
            for b, length in enumerate(self.each_length()):
                self.resets[length:, b] = False  # as `scan` hands them on
        numbers = {"dtype": torch.float64, "requires_grad": True}
        self.x = torch.randn(self.time, self.batch, **numbers)
        self.initial = torch.randn(self.batch, **numbers)
        self.start = torch.randn(self.batch, **numbers)
        self.factor = 0.7

    def each_length(self) -> list[int]:
        return [self.time] * self.batch if self.lengths is None else self.lengths.tolist()

    def rows(self, keep: bool) -> Rows:
        return rows(self.time, self.batch, self.lengths, self.resets, self.reverse, keep)

    def plain(self) -> tuple[Tensor, Tensor]:
        """States after every step, zeros past the end, and the last ones."""
        after = [[torch.zeros((), dtype=torch.float64)] * self.batch for _ in range(self.time)]
        last = []
        for b, length in enumerate(self.each_length()):
            h = self.initial[b]
            for t in reversed(range(length)) if self.reverse else range(length):
                if self.resets is not None and self.resets[t, b]:
                    h = self.start[b]
                h = self.factor * h + self.x[t, b]
                after[t][b] = h
            last.append(h)
        output = torch.stack([torch.stack(each) for each in after]) if after else self.x * 0
        return output, torch.stack(last)


@pytest.fixture(params=SEEDS)
def call(request: pytest.FixtureRequest) -> Call:
    return Call(request.param)


def steps(order: Rows) -> list[range]:
    """The n of each step."""
    return [range(first, last) for first, last in zip(order.starts, order.starts[1:], strict=False)]


@pytest.mark.parametrize("keep", [True, False])
def test_forward_over_the_tables_is_the_plain_loop(call: Call, keep: bool) -> None:
    order, x = call.rows(keep), call.x.detach().flatten()
    states = torch.full((order.states,), float("nan"), dtype=torch.float64)
    states[: call.batch] = call.initial.detach()
    if len(order.sinks):
        states[order.states - call.batch :] = call.start.detach()
    output = torch.zeros_like(x)
    for step in steps(order):
        before = {n: states[order.before[n]].clone() for n in step}  # in any order: no row of a step waits for another
        for n in reversed(step):
            states[order.after[n]] = call.factor * before[n] + x[order.time[n]]
            output[order.time[n]] = states[order.after[n]]
    expected, last = call.plain()
    assert torch.equal(output.view_as(call.x), expected.detach())
    assert torch.equal(states[order.last], last.detach())


def test_backward_over_the_tables_is_autograd(call: Call) -> None:
    order = call.rows(keep=True)
    outer, inner = torch.randn_like(call.x), torch.randn_like(call.initial)
    carry = torch.full((order.gradients,), float("nan"), dtype=torch.float64)
    carry[: call.batch] = inner
    carry[3 * call.batch] = 0
    x = torch.zeros(call.time * call.batch, dtype=torch.float64)
    for step in reversed(steps(order)):
        carried = {n: carry[order.carried[n]].clone() for n in step}
        for n in step:
            gradient = carried[n] + outer.flatten()[order.time[n]]
            x[order.time[n]] = gradient
            carry[order.carries[n]] = call.factor * gradient
    start = torch.zeros_like(call.start).index_add_(0, order.reset_rows, carry[order.sinks])
    output, last = call.plain()
    loss = (output * outer).sum() + (last * inner).sum()
    wanted = [call.x, call.initial, call.start]
    expected = torch.autograd.grad(loss, wanted, allow_unused=True, materialize_grads=True)
    for ours, theirs in zip((x.view_as(call.x), carry[order.first], start), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


def test_every_step_of_every_row_comes_once_and_longest_rows_first(call: Call) -> None:
    order, lengths = call.rows(keep=True), call.each_length()
    assert order.total == sum(lengths) == len(order.time) == len(order.position)
    assert sorted(order.time.tolist()) == sorted(
        t * call.batch + b for b in range(call.batch) for t in range(lengths[b])
    )
    assert torch.equal(order.time % call.batch, order.position)
    assert order.steps == max(lengths, default=0)
    for step in steps(order):
        found = [lengths[b] for b in order.position[list(step)].tolist()]
        assert found == sorted(found, reverse=True)


@pytest.mark.parametrize("parts", [1, 2, 3, 8])
def test_threads_share_all_rows_about_equally(call: Call, parts: int) -> None:
    order = call.rows(keep=True)
    bounds = order.shares(parts)
    pairs = list(zip(bounds[::2], bounds[1::2], strict=True))
    assert len(pairs) == parts
    assert [low for low, _ in pairs] == [0, *(high for _, high in pairs[:-1])]
    assert pairs[-1][1] == call.batch
    assert all(low <= high for low, high in pairs)
    lengths = sorted(call.each_length(), reverse=True)
    work = [sum(lengths[low:high]) for low, high in pairs]
    assert max(work) <= order.total / parts + max(lengths, default=0)


def test_the_last_states_alone_need_little_memory() -> None:
    short, long = (rows(time, 3, None, None, False, keep=False) for time in (10, 1000))
    assert short.states == long.states == 9
    assert rows(1000, 3, None, None, False, keep=True).states == 3003


def test_a_call_like_an_earlier_one_has_its_tables() -> None:
    assert rows(4, 3, None, None, False, True) is rows(4, 3, None, None, False, True)
    assert rows(4, 3, None, None, False, True) is not rows(4, 3, None, None, True, True)


def test_full_rows_are_those_without_lengths() -> None:
    plain = rows(3, 2, None, None, False, True)
    assert rows(3, 2, torch.tensor([3, 3]), None, False, True) is plain


def test_layers_with_the_same_lengths_share_their_rows() -> None:
    first = rows(3, 2, torch.tensor([3, 1]), None, True, True)
    assert rows(3, 2, torch.tensor([3, 1]), None, True, True) is first
    assert rows(3, 2, torch.tensor([1, 3]), None, True, True) is not first
