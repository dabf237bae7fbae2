"""What was known, what came, and what was forecast with its intervals, as the Bank of England draws it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from elman.errors import OptionError
from elman.pictures.canvas import save
from elman.pictures.fonts import find_fonts

MOST = 6
"""Series in a picture."""


class Window(Protocol):
    """What is drawn of a series."""

    @property
    def name(self) -> str: ...
    @property
    def known(self) -> np.ndarray:
        """(T,)."""
        ...

    @property
    def came(self) -> np.ndarray:
        """(H,)."""
        ...

    @property
    def said(self) -> np.ndarray:
        """(H,)."""
        ...

    @property
    def quantiles(self) -> np.ndarray:
        """(L, H)."""
        ...


def draw_fan_chart(path: Path, windows: Sequence[Window], levels: Sequence[float], context: int) -> None:
    """The last window of each of some series as a PNG.

    Args:
        path: Where the picture goes.
        windows: One or more, in order of time.
        levels: L, rising; each is the counterpart of the one as far from the other end.
        context: Known steps that are shown.

    Raises:
        OptionError: There is no window.
    """
    from matplotlib.figure import Figure

    if not windows:
        raise OptionError("windows expects at least one; received none")
    shown = list({window.name: window for window in windows}.values())[:MOST]
    letters = find_fonts([window.name for window in shown])
    figure = Figure(figsize=(8, 2.4 * len(shown) + 0.4), layout="constrained")
    rows = np.atleast_1d(figure.subplots(len(shown), 1))
    for axes, window in zip(rows, shown, strict=True):
        _draw(axes, window, levels, context)
        axes.set_title(letters.label(window.name), loc="left", fontsize=10, **letters.style)
    rows[-1].set_xlabel("steps from the beginning of the forecast")
    save(figure, path)


def _draw(axes: Any, window: Window, levels: Sequence[float], context: int) -> None:
    known = window.known[-context:]
    ahead = np.arange(len(window.said))
    axes.plot(np.arange(-len(known), 0), known, color="0.25", linewidth=1)
    for low in range(len(levels) // 2):
        high = len(levels) - 1 - low
        share = f"{levels[high] - levels[low]:.0%}"
        axes.fill_between(
            ahead, window.quantiles[low], window.quantiles[high], color="C0", alpha=0.2, linewidth=0, label=share
        )
    axes.plot(ahead, window.came, color="0.25", linewidth=1, label="came")
    axes.plot(ahead, window.said, color="C0", linewidth=1.5, label="forecast")
    axes.axvline(-0.5, color="0.7", linewidth=0.8)
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left", fontsize=8, ncols=4)
