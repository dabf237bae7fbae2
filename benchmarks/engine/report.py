"""What a run prints: a table for each cell and mode, the goals, and where Elman loses."""

from collections.abc import Iterable
from itertools import groupby
from statistics import geometric_mean, median

from rich.console import Console
from rich.table import Table

from engine.contests import OWN_LSTM, Contest
from engine.findings import GOALS, Findings, Row, disturbed, losses, shape_of
from engine.timing import DISTURBED, Times


def print_report(found: Findings, console: Console) -> None:
    """Everything, in the order in which it was measured."""
    tables: dict[str, list[Row]] = {}
    for row in found.rows:
        if "seconds_elman" in row:
            tables.setdefault(f"{row['cell']} {row['mode']}", []).append(row)
    for title, rows in tables.items():
        console.print(_table(title, rows))
    console.print(_goals(found))
    for line in [*_summary(found), *map(_lost, losses(found.rows)), *found.notes, *disturbed(found)]:
        console.print(line, highlight=False)
    for line in found.wrong:
        console.print(f"[red]WRONG, not reported:[/red] {line}", highlight=False)


def _table(title: str, rows: list[Row]) -> Table:
    """A line for each shape, a column for each peer."""
    peers = list(dict.fromkeys(row["peer"] for row in rows))
    table = Table("T,B,H", "elman ms", "GFLOP/s", "of peak", *peers, title=title, title_justify="left")
    for shape, group in groupby(rows, key=shape_of):
        by_peer = {row["peer"]: row for row in group}
        first = next(iter(by_peer.values()))
        share = f"{first['fma_share']:.0%}" if "fma_share" in first else ""
        times = [f"{1e3 * first['seconds_elman']:.4g}", f"{first['gflops_elman']:.1f}", share]
        table.add_row(shape, *times, *(_ratio(by_peer.get(peer)) for peer in peers))
    return table


def _ratio(row: Row | None) -> str:
    """The ratio, red where Elman is slower, and the peer's milliseconds."""
    if row is None:
        return ""
    colour = "red" if row["ratio"] < 1 and row["peer"] != OWN_LSTM else "default"
    return f"[{colour}]{row['ratio']:.2f}[/{colour}] ({1e3 * row['seconds_peer']:.4g} ms)"


def _goals(found: Findings) -> Table:
    """Metric by metric."""
    table = Table("metric", "goal", "measured", "", title="goals", title_justify="left")
    for key, value in found.metrics().items():
        sign, goal = GOALS[key]
        reached = value is not None and (value >= goal if sign == ">=" else value <= goal)
        words = "-" if value is None else f"{value:.3g}"
        table.add_row(key, f"{sign} {goal:g}", words, "" if value is None else "reached" if reached else "[red]not yet")
    return table


def _summary(found: Findings) -> list[str]:
    """Geometric means beside the metrics that are minima, and the state of the machine."""
    of_torch = [row for row in found.rows if row["peer"] == "torch.nn" and "fma_share" in row]
    kinds = {"own LSTM at equal work": [row["ratio"] for row in found.rows if row["peer"] == OWN_LSTM]}
    for mode in ("forward", "train"):
        kinds[f"share of the FMA peak, {mode}"] = [row["fma_share"] for row in of_torch if row["mode"] == mode]
    lines = [
        f"{what}: least {min(values):.2f}, geometric mean {geometric_mean(values):.2f}"
        for what, values in kinds.items()
        if values
    ]
    if found.peaks:
        lines.append(f"FMA peak {max(found.peaks) / 1e9:.1f} GFLOP/s")
    return lines


def _lost(row: Row) -> str:
    return f"we lose: {row['cell']} {row['mode']} {shape_of(row)} against {row['peer']}: {row['ratio']:.2f}"


def print_peers(measured: Iterable[tuple[Contest, Times]], console: Console) -> None:
    """Seconds and GFLOP/s of the peers alone."""
    for (cell, mode), group in groupby(measured, key=lambda pair: (pair[0].cell, pair[0].mode)):
        pairs = list(group)
        peers = list(pairs[0][1].seconds)
        table = Table("T,B,H", *peers, title=f"{cell} {mode}: ms (GFLOP/s)", title_justify="left")
        for contest, times in pairs:
            seconds = [median(times.seconds[peer]) for peer in peers]
            flops = contest.flops["elman"]
            mark = " others busy" if times.others > DISTURBED else ""
            table.add_row(
                f"{contest.shape}{mark}", *(f"{1e3 * each:.4g} ({flops / each / 1e9:.1f})" for each in seconds)
            )
        console.print(table)
