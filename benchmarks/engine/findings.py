"""What a run finds out: rows, what was wrong, and the metrics that the issue names."""

import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from statistics import geometric_mean, median
from typing import Any

from engine.contests import DROP_INS, KEPT, OWN_LSTM, Contest
from engine.custom import CUSTOM
from engine.shapes import Shape
from engine.timing import DISTURBED, Times, ratios

Row = dict[str, Any]

GOALS: dict[str, tuple[str, float]] = {
    "lstm_forward_vs_torch": (">=", 1.2),
    "lstm_forward_vs_torch_min": (">=", 0.97),
    "lstm_forward_vs_onnxruntime": (">=", 1.15),
    "lstm_train_vs_torch": (">=", 1.2),
    "lstm_train_vs_torch_min": (">=", 0.95),
    "gru_train_vs_torch": (">=", 2.5),
    "rnn_train_vs_torch": (">=", 2.5),
    "gru_rnn_train_vs_torch_min": (">=", 1.05),
    "lengths_forward_vs_packed": (">=", 2.0),
    "lengths_train_vs_packed": (">=", 4.0),
    "custom_train_vs_eager": (">=", 4.0),
    "custom_train_vs_eager_small": (">=", 8.0),
    "custom_train_vs_compile_min": (">=", 1.0),
    "custom_vs_own_lstm_min": (">=", 0.75),
    "fma_share_forward": (">=", 0.85),
    "fma_share_train": (">=", 0.7),
    "step_128_vs_onnxruntime": (">=", 3.0),
    "step_256_vs_onnxruntime": (">=", 2.0),
    "step_512_vs_onnxruntime": (">=", 1.3),
    "first_call_seconds": ("<=", 3.0),
    "next_structure_seconds": ("<=", 0.5),
    "cached_call_seconds": ("<=", 0.3),
    "memory_vs_torch": ("<=", 1.0),
    "tinyshakespeare_speedup": (">=", 2.0),
}
"""Every metric of the result file, and what it shall be."""


@dataclass
class Findings:
    """Collected while the run goes on."""

    rows: list[Row] = field(default_factory=list)
    others: dict[str, float] = field(default_factory=dict)
    """Metrics that come from no row."""
    peaks: list[float] = field(default_factory=list)
    """The machine's FMA peak, measured again and again; flops a second."""
    wrong: list[str] = field(default_factory=list)
    """Numbers that are not reported, and why."""
    incomplete: set[tuple[str, str]] = field(default_factory=set)
    """Cells and modes of which a shape is missing: no mean over the others is shown."""
    notes: list[str] = field(default_factory=list)

    def add(self, contest: Contest, times: Times) -> list[Row]:
        """A row for every peer; where weights are kept as well, the same once more under the mode `..._kept`."""
        new = [row_of(contest, peer, times) for peer in contest.calls if peer not in ("elman", KEPT)]
        kept = []
        if KEPT in contest.calls:
            other = replace(times, seconds=times.seconds | {"elman": times.seconds[KEPT]})
            kept = [row_of(contest, row["peer"], other) | {"mode": f"{contest.mode}_kept"} for row in new]
        self.rows += [*new, *kept]
        return new

    def refuse(self, cell: str, mode: str, what: str, reasons: Iterable[str]) -> None:
        """Nothing is reported of this, because it is wrong."""
        self.incomplete.add((cell, mode))
        self.wrong += [f"{cell} {mode} {what}: {reason}" for reason in reasons]

    def leave_out(self, cell: str, mode: str, why: str) -> None:
        """Not measured, for a reason that is nobody's mistake."""
        self.incomplete.add((cell, mode))
        self.notes.append(f"{cell} {mode} left out: {why}")

    @contextmanager
    def guarded(self, cell: str, mode: str, what: str) -> Iterator[None]:
        """What breaks inside the block is noted as wrong, and the run goes on."""
        try:
            yield
        except Exception as error:  # any contestant may fail in any way
            traceback.print_exc()
            self.refuse(cell, mode, what, [f"{type(error).__name__}: {error}"])

    def add_shares(self) -> None:
        """Of the peak, for every row of Elman's LSTM where the work is large. The highest peak of the run counts."""
        modes = ("forward", "forward_kept", "train")
        for row in self.rows:
            if self.peaks and row["cell"] == "lstm" and row["mode"] in modes and is_large(row):
                row["fma_share"] = row["gflops_elman"] * 1e9 / max(self.peaks)

    def metrics(self) -> dict[str, float | None]:
        """All of `GOALS`; none where something was not measured or was wrong."""
        values = {key: compute(self) for key, compute in METRICS.items()}
        return {key: values.get(key, self.others.get(key)) for key in GOALS}

    def select(
        self, cells: Iterable[str], mode: str, peer: str, where: Callable[[Row], bool] | None = None
    ) -> list[Row]:
        """Rows; none, if one that belongs to them is missing."""
        if any((cell, mode) in self.incomplete for cell in cells):
            return []
        rows = [row for row in self.rows if row["cell"] in cells and row["mode"] == mode]
        return [row for row in rows if row["peer"].startswith(peer) and (where is None or where(row))]


def row_of(contest: Contest, peer: str, times: Times) -> Row:
    """Two contestants: the median of the rounds' ratios, above 1 where Elman is faster."""
    flops = contest.flops["elman"]
    theirs = contest.flops.get(peer, flops)
    ours, others = times.seconds["elman"], times.seconds[peer]
    return {
        "cell": contest.cell,
        "mode": contest.mode,
        **sizes(contest.shape),
        "peer": peer,
        **ratios(others, ours, scale=flops / theirs),
        "seconds_elman": median(ours),
        "seconds_peer": median(others),
        "gflops_elman": flops / median(ours) / 1e9,
        "gflops_peer": theirs / median(others) / 1e9,
        "rounds": len(ours),
        "load_of_others": round(times.others, 3),
    }


def sizes(shape: Shape) -> dict[str, int]:
    """As rows name them."""
    return {"T": shape.time, "B": shape.batch, "I": shape.inputs, "H": shape.hidden}


def shape_of(row: Row) -> str:
    """The same in a word."""
    return f"{row['T']},{row['B']},{row['H']}"


def is_large(row: Row) -> bool:
    """Where the arithmetic units are what limits."""
    return row["B"] >= 32 and row["H"] >= 256


def is_small(row: Row) -> bool:
    """Where a loop in Python is mostly overhead."""
    return row["B"] <= 16 and row["H"] <= 256


def losses(rows: list[Row]) -> list[Row]:
    """Where somebody is faster than Elman, the worst first."""
    lost = [row for row in rows if row["ratio"] < 1 and row["peer"] != OWN_LSTM and not row["mode"].endswith("_kept")]
    return sorted(lost, key=lambda row: row["ratio"])


def disturbed(found: Findings) -> list[str]:
    """A warning, where others kept the machine busy."""
    loud = [row for row in found.rows if row.get("load_of_others", 0) > DISTURBED]
    return [f"OTHERS WERE BUSY during {len(loud)} of {len(found.rows)} rows, do not trust them"] if loud else []


def mean_ratio(rows: list[Row]) -> float | None:
    """Geometric mean."""
    return geometric_mean(row["ratio"] for row in rows) if rows else None


def least(rows: list[Row], key: str = "ratio") -> float | None:
    """The smallest, so the worst."""
    return min((row[key] for row in rows if key in row), default=None)


def _mean(*words: Any, **where: Any) -> Callable[[Findings], float | None]:
    return lambda found: mean_ratio(found.select(*words, **where))


def _least(*words: Any, key: str = "ratio", **where: Any) -> Callable[[Findings], float | None]:
    return lambda found: least(found.select(*words, **where), key)


def _step(width: int) -> Callable[[Findings], float | None]:
    return _least(("lstm",), "step", "onnxruntime", where=partial(_is_wide, width=width))


def _is_wide(row: Row, width: int) -> bool:
    return row["H"] == width


METRICS: dict[str, Callable[[Findings], float | None]] = {
    "lstm_forward_vs_torch": _mean(("lstm",), "forward", "torch.nn"),
    "lstm_forward_vs_torch_min": _least(("lstm",), "forward", "torch.nn"),
    "lstm_forward_vs_onnxruntime": _mean(("lstm",), "forward", "onnxruntime"),
    "lstm_train_vs_torch": _mean(("lstm",), "train", "torch.nn"),
    "lstm_train_vs_torch_min": _least(("lstm",), "train", "torch.nn"),
    "gru_train_vs_torch": _mean(("gru",), "train", "torch.nn"),
    "rnn_train_vs_torch": _mean(("rnn",), "train", "torch.nn"),
    "gru_rnn_train_vs_torch_min": _least(("gru", "rnn"), "train", "torch.nn"),
    "lengths_forward_vs_packed": _mean(DROP_INS, "lengths_forward", "torch.nn"),
    "lengths_train_vs_packed": _mean(DROP_INS, "lengths_train", "torch.nn"),
    "custom_train_vs_eager": _mean(CUSTOM, "train", "eager loop"),
    "custom_train_vs_eager_small": _mean(CUSTOM, "train", "eager loop", where=is_small),
    "custom_train_vs_compile_min": _least(("peephole-lstm",), "compile", "torch.compile"),
    "custom_vs_own_lstm_min": _least(CUSTOM, "train", OWN_LSTM),
    "fma_share_forward": _least(("lstm",), "forward", "torch.nn", where=is_large, key="fma_share"),
    "fma_share_train": _least(("lstm",), "train", "torch.nn", where=is_large, key="fma_share"),
    **{f"step_{width}_vs_onnxruntime": _step(width) for width in (128, 256, 512)},
}
"""How a metric comes from rows."""
