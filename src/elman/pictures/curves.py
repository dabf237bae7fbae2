"""Pictures of a training: learning curves, and how far gradients reach back."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from elman.errors import OptionError
from elman.pictures.canvas import add_legend, new_plot, save
from elman.pictures.fonts import find_fonts


def draw_learning_curves(path: Path, train: Sequence[tuple[int, float]], valid: Sequence[tuple[int, float]]) -> None:
    """Losses over steps, as a PNG.

    Args:
        path: Where the picture goes.
        train: (step, nats per unit), thinned or not.
        valid: The same for validations.
    """
    figure, axes = new_plot()
    if train:
        axes.plot(*zip(*train, strict=True), color="tab:blue", alpha=0.6, linewidth=1, label="training")
    if valid:
        axes.plot(*zip(*valid, strict=True), color="tab:orange", marker="o", markersize=3, label="validation")
        step, loss = min(valid, key=lambda point: point[1])
        axes.annotate(f"{loss:.3f}", (step, loss), xytext=(0, -12), textcoords="offset points", ha="center")
    axes.set(xlabel="step", ylabel="loss (nats per unit)")
    axes.grid(alpha=0.3)
    if train or valid:
        axes.legend()
    save(figure, path)


def draw_over_time(path: Path, lines: Mapping[str, Sequence[float]], time: str, value: str) -> None:
    """Values of several lines, step after step, as a PNG.

    Args:
        path: Where the picture goes.
        lines: For each name, the value at step 1, 2, ...
        time: What a step is called.
        value: What a value is called.
    """
    figure, axes = new_plot()
    drawn = [axes.plot(range(1, len(values) + 1), values, marker="o", markersize=3)[0] for values in lines.values()]
    axes.set(xlabel=time, ylabel=value)
    axes.locator_params(axis="x", integer=True)
    axes.grid(alpha=0.3)
    add_legend(axes, drawn, list(lines), find_fonts(lines))
    save(figure, path)


def draw_gradient_flow(path: Path, norms: Mapping[str, Sequence[float]]) -> None:
    """The gradient's norm k steps back for several networks, as a PNG on a logarithmic scale.

    Args:
        path: Where the picture goes.
        norms: For each network's name, the norm at k = 0, 1, ...

    Raises:
        OptionError: There is no network.
    """
    if not norms:
        raise OptionError("norms expects at least one network; received none; try {'lstm': [1.0, 0.5]}")
    figure, axes = new_plot()
    lines = [axes.semilogy(range(len(values)), [max(value, 1e-38) for value in values])[0] for values in norms.values()]
    axes.set(xlabel="k, steps back from the loss", ylabel="norm of the loss's gradient\nwith respect to the state")
    axes.grid(alpha=0.3)
    add_legend(axes, lines, list(norms), find_fonts(norms))
    save(figure, path)
