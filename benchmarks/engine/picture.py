"""The picture for the README: one dot for each shape, on a line for each cell, mode and peer."""

from itertools import groupby
from pathlib import Path

import matplotlib

from engine.contests import CELLS, OWN_LSTM
from engine.findings import Row, mean_ratio, shape_of

matplotlib.use("agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

FASTER, SLOWER = "#0072B2", "#D55E00"
"""Blue and vermilion of Okabe and Ito, which colour-blind people tell apart; the marks differ too."""
NAMES = {
    "forward": "forward",
    "train": "forward + backward",
    "lengths_forward": "lengths, forward",
    "lengths_train": "lengths, forward + backward",
    "compile": "forward + backward",
    "step": "one step",
}


def draw(rows: list[Row], hardware: str, path: Path) -> None:
    """Write the picture."""
    shown = [row for row in rows if row["mode"] in NAMES and row["peer"] != OWN_LSTM]
    lines = {name: list(group) for name, group in groupby(sorted(shown, key=_place), key=_name)}
    figure, axes = plt.subplots(figsize=(8.8, 1.2 + 0.27 * len(lines)), layout="constrained")
    for height, group in enumerate(lines.values()):
        _draw_line(axes, height, group)
    axes.axvline(1, color="black", linewidth=1, zorder=1)
    axes.set(xscale="log", ylim=(len(lines) - 0.5, -0.5), yticks=range(len(lines)), yticklabels=list(lines))
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(axis="x", color="0.9", zorder=0)
    axes.tick_params(axis="y", length=0, labelsize=9)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.set_xlabel("time of the peer / time of Elman\na dot for each shape, a bar at their geometric mean")
    axes.set_title(f"Elman and its peers in turn, f32, {hardware}", fontsize=10, loc="left")
    handles = [axes.scatter([], [], color=FASTER, s=22), axes.scatter([], [], color=SLOWER, marker="x", s=28)]
    figure.legend(
        handles,
        ["Elman is faster", "Elman is slower, at T,B,H"],
        loc="outside lower right",
        fontsize=9,
        ncols=2,
        frameon=False,
    )
    figure.savefig(path, dpi=150)
    plt.close(figure)


def _draw_line(axes: Axes, height: int, rows: list[Row]) -> None:
    faster, slower = ([row for row in rows if (row["ratio"] >= 1) is sign] for sign in (True, False))
    axes.scatter([row["ratio"] for row in faster], [height] * len(faster), color=FASTER, s=22, zorder=3)
    axes.scatter([row["ratio"] for row in slower], [height] * len(slower), color=SLOWER, marker="x", s=28, zorder=3)
    if slower:
        words = "  ".join(shape_of(row) for row in slower)
        place = (max(row["ratio"] for row in rows), height)
        axes.annotate(words, place, (8, 0), textcoords="offset points", ha="left", va="center", size=7, color=SLOWER)
    axes.scatter(mean_ratio(rows) or 1, height, marker="|", color="0.3", s=160, linewidth=2, zorder=2)


def _name(row: Row) -> str:
    return f"{row['cell']}, {NAMES[row['mode']]} vs {row['peer']}"


def _place(row: Row) -> tuple[int, int, bool, str]:
    """Stock cells before custom ones, single steps last; modes in the order of `NAMES`."""
    first = len(CELLS) if row["mode"] == "step" else CELLS.index(row["cell"])
    return first, list(NAMES).index(row["mode"]), row["peer"] != "torch.nn", row["peer"]
