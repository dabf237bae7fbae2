"""Pictures of a training: learning curves, and how far gradients reach back."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from elman.data import replacing


def draw_learning_curves(path: Path, train: Sequence[tuple[int, float]], valid: Sequence[tuple[int, float]]) -> None:
    """Losses over steps, as a PNG.

    Args:
        path: Where the picture goes.
        train: (step, nats per unit), thinned or not.
        valid: The same for validations.
    """
    figure, axes = _figure()
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
    _save(figure, path)


def draw_gradient_flow(path: Path, norms: Mapping[str, Sequence[float]]) -> None:
    """The gradient's norm k steps back for several networks, as a PNG on a logarithmic scale."""
    figure, axes = _figure()
    for name, values in norms.items():
        axes.semilogy(range(len(values)), [max(value, 1e-38) for value in values], label=name)
    axes.set(xlabel="k, steps back from the loss", ylabel="norm of the loss's gradient\nwith respect to the state")
    axes.grid(alpha=0.3)
    axes.legend()
    _save(figure, path)


def _figure() -> tuple[Any, Any]:
    from matplotlib.figure import Figure  # half a second to import, and not every command draws

    figure = Figure(figsize=(7, 4), layout="constrained")
    return figure, figure.add_subplot()


def _save(figure: Any, path: Path) -> None:
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)
