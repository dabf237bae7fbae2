"""How a score depends on the length of the source, as Bahdanau et al. (2015, figure 2) show it."""

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from elman.errors import OptionError
from elman.pictures.canvas import add_legend, new_plot, save
from elman.pictures.fonts import find_fonts

Points = Sequence[tuple[str, float, int]]


def draw_by_length(path: Path, series: Mapping[str, Points], ylabel: str) -> None:
    """Scores over buckets of source length, one line for each name, as a PNG.

    Args:
        path: Where the picture goes.
        series: For each name (label of the bucket such as "1-8", score, number of examples).
        ylabel: What the score is, and its unit.

    Raises:
        OptionError: There is no line, or one without buckets.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     draw_by_length(Path(folder) / "bleu.png", {"lstm": [("1-8", 31.5, 40), ("9+", 22.0, 7)]}, "BLEU")
    """
    _check(series)
    labels = _ordered(series)
    letters = find_fonts([*series, *labels, ylabel])
    figure, axes = new_plot()
    lines = [
        axes.plot([labels.index(label) for label, *_ in points], [score for _, score, _ in points], marker="o")[0]
        for points in series.values()
    ]
    ticks = [f"{letters.label(label)}\n{_counts(series, label)}" for label in labels]
    axes.set_xticks(range(len(labels)), ticks, **letters.style)
    axes.set_xlabel("units of the source, and how many examples")
    axes.set_ylabel(letters.label(ylabel), **letters.style)
    axes.margins(y=0.1)
    axes.grid(alpha=0.3)
    add_legend(axes, lines, list(series), letters)
    save(figure, path)


def _check(series: Mapping[str, Points]) -> None:
    if not series:
        raise OptionError("series expects at least one line; received none; try {'lstm': [('1-8', 31.5, 40)]}")
    for name, points in series.items():
        if not points:
            raise OptionError(f"series {name!r} expects at least one bucket; received none; leave it out")


def _ordered(series: Mapping[str, Points]) -> list[str]:
    """All labels: by the number each begins with, others behind in the order they come."""
    labels = dict.fromkeys(label for points in series.values() for label, *_ in points)
    return sorted(labels, key=_start)


def _start(label: str) -> float:
    number = re.match(r"\d+", label)
    return int(number[0]) if number else math.inf


def _counts(series: Mapping[str, Points], label: str) -> str:
    """How many examples a bucket has; more than one number where the lines differ."""
    counts = dict.fromkeys(count for points in series.values() for other, _, count in points if other == label)
    return "n = " + " / ".join(f"{count:,}" for count in counts)
