"""A phase of a plan as LLVM text: its stages, and the loop over time around them.

Key: n a row at a step, in the engine's own order; s a step.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from elman.engine.backends.llvm.layout import HEADER, Layout
from elman.engine.backends.llvm.rowwise import RowWriter
from elman.engine.backends.llvm.target import Target
from elman.engine.backends.llvm.text import Writer, joined
from elman.engine.backends.llvm.tiled import AHEAD, AT_ONCE, TileWriter
from elman.engine.backends.llvm.tiles import Tiling, tile_function, tiling
from elman.engine.phases import Phase, Stage


@dataclass(frozen=True)
class KernelText:
    """A phase in LLVM's language, and what a call must bring."""

    text: str
    layout: Layout
    after: bool
    """Are there stages after the loop over time?"""


def kernel_text(phase: Phase, dtype: torch.dtype, target: Target) -> KernelText:
    """Write a phase down."""
    lanes, stages = target.lanes(dtype), phase.stages
    tilings = [tiling(stage.nests[0], target.sums) if stage.products else None for stage in stages]
    layout = _layout(stages, tilings)
    widths = sorted({plan.vectors(run) for _, plan, run in layout.panels})
    functions = [tile_function(dtype, lanes, vectors) for vectors in widths]
    functions += [_stage(i, stage, tilings[i], dtype, lanes, layout) for i, stage in enumerate(stages)]
    after = [i for i, stage in enumerate(stages) if stage.after]
    early = [i for i, stage in enumerate(stages) if any(stage.nests[0] is nest for nest, _ in layout.hoists)]
    around = [
        _loop([i for i in range(len(stages)) if i not in after]),
        _outside("after", after, AT_ONCE),
        _outside("ahead", early, AHEAD),
    ]
    declared = set().union(*(more for _, more in functions))
    return KernelText(joined([*(text for text, _ in functions), *around], declared), layout, bool(after))


def _layout(stages: Sequence[Stage], tilings: Sequence[Tiling | None]) -> Layout:
    """What a call must bring; sizes and numbers are found as the text is written."""
    layout = Layout(list(dict.fromkeys(buffer for stage in stages for buffer in stage.buffers)))
    for stage, plan in zip(stages, tilings, strict=True):
        if plan is not None:
            layout.panels.extend((stage.nests[0], plan, run) for run in plan.runs)
            if plan.early and not stage.after:
                layout.hoists.append((stage.nests[0], plan))
    return layout


def _stage(
    number: int, stage: Stage, plan: Tiling | None, dtype: torch.dtype, lanes: int, layout: Layout
) -> tuple[str, set[str]]:
    """A stage as a function of the rows, from n0 up to n1, and of the part of its blocks that is to be done."""
    if plan is not None:
        writer = TileWriter(dtype, lanes, layout)
        writer.write(stage.nests[0], plan)
    else:
        writer = RowWriter(dtype, lanes, layout)
        writer.write(stage.nests)
    signature = f"internal void @stage_{number}(ptr %call, i64 %n0, i64 %n1, i64 %part, i64 %mode, i64 %turn)"
    return writer.function(signature, "noinline"), writer.declared


def _loop(stages: list[int]) -> str:
    """The loop over time that each thread runs for its rows, or for its part of the blocks."""
    w = Writer(torch.float32, 1)
    words = {name: w.assign(f"getelementptr i64, ptr %call, i64 {i}") for i, name in enumerate(HEADER)}

    def word(name: str, kind: str = "i64") -> str:
        return w.assign(f"load {kind}, ptr {words[name]}")

    thread = w.thread(word("number", "ptr"))
    parts, share = word("parts"), word("share", "ptr")
    split = w.assign(f"icmp sgt i64 {parts}, 1")
    mine = w.assign(f"select i1 {split}, i64 0, i64 {thread}")
    part = w.assign(f"select i1 {split}, i64 {thread}, i64 0")
    low, high = w.own_share(share, mine)
    first, last, onward, mode = word("first"), word("last"), word("onward"), word("mode")
    offsets, counts = word("offsets", "ptr"), word("counts", "ptr")
    wait, team = word("wait", "ptr"), word("team", "ptr")
    forward = w.assign(f"icmp sgt i64 {onward}, 0")
    with w.loop(first, last) as counted:
        back = w.i64("sub", w.i64("sub", w.i64("add", first, last), "1"), counted)
        s = w.assign(f"select i1 {forward}, i64 {counted}, i64 {back}")
        offset = w.assign(f"load i64, ptr {w.element(offsets, s, 'i64')}")
        count = w.assign(f"load i64, ptr {w.element(counts, s, 'i64')}")
        n0 = w.i64("add", offset, low)
        n1 = w.i64("add", offset, w.least(high, count))
        with w.when(w.assign(f"icmp slt i64 {n0}, {n1}")):
            turn = w.i64("and", s, "1")
            for stage in stages:
                w.do(f"call void @stage_{stage}(ptr %call, i64 {n0}, i64 {n1}, i64 {part}, i64 {mode}, i64 {turn})")
                with w.when(split):
                    w.do(f"call void {wait}(ptr {team})")
    return w.function("void @loop(ptr %call)")


def _outside(name: str, stages: list[int], mode: int) -> str:
    """What each thread does before or after the loop, for its share of all rows at some steps."""
    w = Writer(torch.float32, 1)

    def word(name: str) -> str:
        return w.assign(f"load ptr, ptr {w.element('%call', str(HEADER.index(name)), 'i64')}")

    thread = w.thread(word("number"))
    low, high = w.own_share(word("share"), thread)
    for stage in stages:
        w.do(f"call void @stage_{stage}(ptr %call, i64 {low}, i64 {high}, i64 0, i64 {mode}, i64 0)")
    return w.function(f"void @{name}(ptr %call)")
