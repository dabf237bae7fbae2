"""Gates and states of a layer over time, a shade for each unit and step.

Key: T steps, U units.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor

from elman.pictures.canvas import save
from elman.pictures.fonts import find_fonts

WIDTH, HEIGHT = 9.0, 1.5
"""Inches of a gate's picture."""
NAMED = 60
"""More steps than these have no names below."""


def draw_gates(path: Path, steps: Sequence[str], values: Mapping[str, Tensor], units: Sequence[int]) -> None:
    """A map for each gate and state, its units from top to bottom and time to the right, as a PNG.

    Args:
        path: Where the picture goes.
        steps: What is read at each, T.
        values: By name, (T, U).
        units: Those that are drawn, in this order; those that a narrower state lacks are left away there.

    Example:
        >>> import tempfile, torch
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     draw_gates(Path(folder) / "a.png", ["a", "b"], {"forget_gate": torch.rand(2, 3)}, [2, 0])
    """
    from matplotlib.figure import Figure

    letters = find_fonts(steps)
    figure = Figure(figsize=(WIDTH, HEIGHT * len(values) + 0.6), layout="constrained")
    rows = figure.subplots(len(values), 1, squeeze=False, sharex=True)[:, 0]
    for axes, (name, each) in zip(rows, values.items(), strict=True):
        shown = each[:, [unit for unit in units if unit < each.shape[1]]].T
        gate = name.endswith("_gate")
        limit = max(1.0, float(shown.abs().max())) if shown.numel() else 1.0
        colours, low, high = ("viridis", 0.0, 1.0) if gate else ("RdBu_r", -limit, limit)
        image = axes.imshow(shown.numpy(), colours, vmin=low, vmax=high, aspect="auto", interpolation="nearest")
        axes.set_ylabel(name.replace("_", " "), fontsize=8)
        axes.set_yticks([])
        figure.colorbar(image, ax=axes, pad=0.01)
    if len(steps) <= NAMED:
        rows[-1].set_xticks(range(len(steps)), [letters.label(step) for step in steps], fontsize=7, **letters.style)
        rows[-1].tick_params(axis="x", rotation=60 if max(map(len, steps)) > 2 else 0)
    else:
        rows[-1].set_xlabel("step")
    save(figure, path)


def draw_importance(path: Path, steps: Sequence[str], shares: Mapping[str, Tensor]) -> None:
    """How much each step matters, by one account or more, as a PNG.

    Args:
        path: Where the picture goes.
        steps: What is read at each, T.
        shares: By what they are called, (T,).
    """
    from matplotlib.figure import Figure

    letters = find_fonts(steps)
    figure = Figure(figsize=(WIDTH, 2.6), layout="constrained")
    axes = figure.subplots()
    width = 0.8 / len(shares)
    for number, (name, values) in enumerate(shares.items()):
        places = [step + (number - (len(shares) - 1) / 2) * width for step in range(len(steps))]
        if len(steps) <= NAMED:
            axes.bar(places, values.tolist(), width, label=name)
        else:
            axes.plot(values.tolist(), linewidth=1, label=name)
    axes.axhline(0, color="grey", linewidth=0.5)
    if len(steps) <= NAMED:
        axes.set_xticks(range(len(steps)), [letters.label(step) for step in steps], fontsize=7, **letters.style)
        axes.tick_params(axis="x", rotation=60 if max(map(len, steps)) > 2 else 0)
    else:
        axes.set_xlabel("step")
    axes.set_ylabel("share in the answer")
    axes.legend(fontsize=8)
    save(figure, path)
