"""The parts of a run: each measures one thing and adds it to the findings."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import elman
from engine import compiled, first_call, memory, training
from engine.contests import CELLS, Contest, cases, failures_at_odd_sizes, make_contest
from engine.findings import Findings, Row, shape_of, sizes
from engine.peak import peak
from engine.shapes import Shape
from engine.step import step_contests
from engine.timing import Pace, Times, interleave


@dataclass(frozen=True)
class Options:
    """How a run measures."""

    shapes: list[Shape]
    pace: Pace
    threads: int
    quick: bool = False


Part = Callable[[Findings, Options], None]


def measure_cell(cell: str, found: Findings, options: Options) -> None:
    """Every mode and shape of a cell."""
    for mode, shape in cases(cell, options.shapes):
        with found.guarded(cell, mode, str(shape)):
            _measure_case(cell, mode, shape, found, options)


def _measure_case(cell: str, mode: str, shape: Shape, found: Findings, options: Options) -> None:
    """Right first, then fast."""
    wrong = [f"at odd sizes, {each}" for each in failures_at_odd_sizes(cell, mode, options.threads)]
    contest = make_contest(cell, mode, shape, options.threads)
    wrong += contest.check()
    if wrong:
        found.refuse(cell, mode, str(shape), wrong)
        return
    if cell == "lstm" and shape.batch >= 32 and shape.hidden >= 256:
        found.peaks.append(peak(options.threads))
    _tell(found.add(contest, interleave(contest.calls, options.pace)))


def measure_step(found: Findings, options: Options) -> None:
    """One step of one row; the kernel of `compile_step`."""
    if not hasattr(elman, "compile_step"):
        found.leave_out("lstm", "step", "elman.compile_step does not exist yet")
        return
    for contest, wrong in step_contests(options.threads):
        if wrong:
            found.refuse("lstm", "step", str(contest.shape), wrong)
        else:
            _tell(found.add(contest, interleave(contest.calls, options.pace)))


def measure_compile(found: Findings, options: Options) -> None:
    """`torch.compile`, in ten minutes."""
    if options.quick:
        found.leave_out("peephole-lstm", "compile", "--quick has no time for it")
        return
    done = compiled.measure_all(options.threads)
    for each in done:
        found.rows += each["rows"]
        _tell(each["rows"])
        if each["wrong"]:
            found.refuse("peephole-lstm", "compile", each["shape"], each["wrong"])
    missing = sorted({str(shape) for shape in compiled.COMPILED} - {each["shape"] for each in done})
    if missing:
        minutes = compiled.LIMIT / 60
        found.notes.append(f"torch.compile was not done with T,B,H = {'; '.join(missing)} in {minutes:.0f} minutes")


def measure_memory(found: Findings, options: Options) -> None:
    """Peak growth of forward and backward at T=1000."""
    ours, theirs = (memory.growth(library, options.threads) for library in ("elman", "torch.nn"))
    found.others["memory_vs_torch"] = ours / theirs
    row = {"cell": "lstm", "mode": "memory", **sizes(memory.LONG), "peer": "torch.nn", "ratio": theirs / ours}
    found.rows.append(row | {"bytes_elman": ours, "bytes_peer": theirs})
    _tell([row])


def measure_first_calls(found: Findings, options: Options) -> None:
    """Of a process, of a structure, from disk."""
    found.others |= first_call.measure_all(options.threads)
    print({key: round(value, 3) for key, value in found.others.items() if key.endswith("_seconds")}, flush=True)


def measure_training(found: Findings, options: Options) -> None:
    """Tiny Shakespeare, before and now."""
    row, wrong = training.tinyshakespeare(4 if options.quick else training.STEPS)
    if wrong:
        found.refuse("lstm", "tinyshakespeare", "", wrong)
        return
    found.others["tinyshakespeare_speedup"] = row["ratio"]
    found.rows.append(row)
    _tell([row])


PARTS: dict[str, Part] = {
    **{cell: partial(measure_cell, cell) for cell in CELLS},
    "step": measure_step,
    "compile": measure_compile,
    "memory": measure_memory,
    "first_call": measure_first_calls,
    "tinyshakespeare": measure_training,
}
"""Name -> what it measures."""


def peers_alone(names: list[str], options: Options) -> Iterator[tuple[Contest, Times]]:
    """The same contests without Elman, and unchecked."""
    for contest in _contests(names, options):
        calls = {name: call for name, call in contest.calls.items() if not name.startswith("elman")}
        times = interleave(calls, options.pace)
        print(contest.cell, contest.mode, contest.shape, flush=True)
        yield contest, times


def _contests(names: list[str], options: Options) -> Iterator[Contest]:
    for cell in names:
        for mode, shape in cases(cell, options.shapes) if cell in CELLS else ():
            yield make_contest(cell, mode, shape, options.threads)
    if "step" in names:
        yield from (contest for contest, _ in step_contests(options.threads))


def _tell(rows: list[Row]) -> None:
    """That something is done."""
    if rows:
        first, ratios = rows[0], {row["peer"]: round(row["ratio"], 2) for row in rows}
        print(first["cell"], first["mode"], shape_of(first), ratios, flush=True)
