"""Series of numbers, and below each what every step of it is and what a model says."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

from elman.errors import OptionError
from elman.pictures.canvas import save
from elman.pictures.fonts import find_fonts


def draw_steps(path: Path, series: Sequence[tuple[Tensor, Tensor, Tensor]], labels: Sequence[str] | None) -> None:
    """Some series one under the other, as a PNG.

    Args:
        path: Where the picture goes.
        series: Of each its values (T, F), what came (T,) and what was said (T,): numbers of labels, or numbers; NaN
            where nothing is known.
        labels: Their names; None for numbers.

    Raises:
        OptionError: There is no series.

    Example:
        >>> import tempfile, torch
        >>> one = torch.randn(9, 2), torch.arange(9.0), torch.arange(9.0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     draw_steps(Path(folder) / "a.png", [one], None)
    """
    from matplotlib.figure import Figure

    if not series:
        raise OptionError("series expects at least one; received none")
    letters = find_fonts(labels or [])
    figure = Figure(figsize=(8, 2.6 * len(series) + 0.4), layout="constrained")
    rows = np.atleast_1d(figure.subplots(2 * len(series), 1, height_ratios=[3, 2] * len(series)))
    for above, below, (values, came, said) in zip(rows[::2], rows[1::2], series, strict=True):
        above.plot(values.numpy(), linewidth=1)
        above.tick_params(labelbottom=False)
        below.step(np.arange(len(came)), came.numpy(), where="mid", color="0.25", linewidth=3, alpha=0.4, label="is")
        below.step(np.arange(len(said)), said.numpy(), where="mid", color="C0", linewidth=1.2, label="said")
        for axes in (above, below):
            axes.set_xlim(-0.5, len(values) - 0.5)
            axes.grid(alpha=0.3)
        if labels is not None:
            below.set_yticks(range(len(labels)), [letters.label(label) for label in labels], **letters.style)
            below.set_ylim(-0.5, len(labels) - 0.5)
    rows[1].legend(loc="upper right", fontsize=8, ncols=2)
    rows[-1].set_xlabel("step")
    save(figure, path)
