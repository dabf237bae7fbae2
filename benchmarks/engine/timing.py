"""Contestants in turn: rounds in which each has a block of calls, so that what disturbs one disturbs all."""

import gc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import mean, median, quantiles
from time import perf_counter, sleep

from engine.load import load_of_others

BLOCK = 0.03
"""Seconds of calls that one timing needs at least."""
REST = 0.06
"""Seconds between two blocks. Pools of threads spin after their last call: PyTorch's for 8 ms, ONNX Runtime's for
40 (measured as processor time during a sleep), and would take a core from whoever is next. To forbid them to spin
would handicap their owners."""


@dataclass(frozen=True)
class Pace:
    """At least and at most so many rounds; between the two, as many as fit into the seconds."""

    least: int = 5
    most: int = 15
    seconds: float = 8.0


QUICK_PACE = Pace(3, 5, 1.0)

DISTURBED = 0.15
"""Share of the processor that others may take during a round; above it the round does not count, if it can be helped.
On two cores one other busy process makes threads wait for each other, and a call ten times as long."""

Calls = Mapping[str, Callable[[], object]]


@dataclass(frozen=True)
class Times:
    """Seconds of one call in every round, by contestant; and how busy others were."""

    seconds: dict[str, list[float]]
    others: float


def interleave(calls: Calls, pace: Pace = Pace()) -> Times:
    """Rounds, until there are enough quiet ones, or half of them again were not."""
    counts = {name: calls_per_block(call) for name, call in calls.items()}
    quiet: list[Round] = []
    loud: list[Round] = []
    start = perf_counter()
    gc.collect()
    while len(quiet) < pace.most and len(loud) <= pace.most // 2:
        if len(quiet) >= pace.least and perf_counter() - start > pace.seconds:
            break
        one = _round(calls, counts, backwards=bool((len(quiet) + len(loud)) % 2))  # nobody is always first
        (loud if one.others > DISTURBED else quiet).append(one)
    rounds = quiet if len(quiet) >= pace.least else quiet + loud
    seconds = {name: [one.seconds[name] for one in rounds] for name in calls}
    return Times(seconds, mean(one.others for one in rounds))


@dataclass(frozen=True)
class Round:
    """Everybody once."""

    seconds: dict[str, float]
    others: float


def _round(calls: Calls, counts: dict[str, int], *, backwards: bool) -> Round:
    seconds = {}
    with load_of_others() as share:
        for name in list(calls)[:: -1 if backwards else 1]:
            sleep(REST)
            seconds[name] = block(calls[name], counts[name])
    return Round(seconds, sum(share))


def calls_per_block(call: Callable[[], object]) -> int:
    """How often to call; this is the warm-up too."""
    call()
    count = 1
    while block(call, count) * count < BLOCK:
        count *= 2
    return count


def block(call: Callable[[], object], count: int) -> float:
    """Mean seconds of a call. In a block of several the first does not count: it finds caches of somebody else."""
    if count > 1:
        call()
    gc.disable()
    start = perf_counter()
    for _ in range(count):
        call()
    seconds = perf_counter() - start
    gc.enable()
    return seconds / count


def ratios(theirs: list[float], ours: list[float], scale: float = 1.0) -> dict[str, float]:
    """Their time over ours, of the same round: the median, and where the middle half of the rounds lies."""
    pairs = [scale * a / b for a, b in zip(theirs, ours, strict=True)]
    low, _, high = quantiles(pairs, n=4)
    return {"ratio": median(pairs), "ratio_low": low, "ratio_high": high}
