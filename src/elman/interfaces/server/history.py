"""What a run folder tells of its training: scores, curves, settings; no path of this machine."""

from contextlib import suppress
from math import isfinite
from pathlib import Path, PurePath
from typing import Any

from elman.errors import RunError
from elman.tasks import Model
from elman.training import read_curves, read_metrics

POINTS = 400
"""Points of a curve at most."""


def history(model: Model, run: Path | None) -> dict[str, Any]:
    """Ready for JSON.

    Args:
        model: As it was loaded.
        run: Its folder; without it, there are no scores and no curves.
    """
    config = model.config
    metrics, curves = ({}, {}) if run is None else _logged(run)
    return {
        "version": config.get("elman"),
        "parameters": sum(parameter.numel() for parameter in model.network.parameters()),
        "data": {part: _name(path) for part, path in config.get("data", {}).items() if path},
        "facts": config["facts"],
        "notes": [note for note in config.get("notes", ()) if "/" not in note],
        "scores": metrics.get("valid", {}),
        "seconds": metrics.get("seconds"),
        "steps": metrics.get("step"),
        "settings": {name: _name(value) for name, value in config["settings"].items()},
        "curves": {name: _thinned(points) for name, points in curves.items()},
    }


def _logged(run: Path) -> tuple[dict[str, Any], dict[str, list[tuple[int, float]]]]:
    """Scores and curves, as far as there are any."""
    metrics: dict[str, Any] = {}
    with suppress(RunError, OSError):
        metrics = read_metrics(run)
    return metrics, read_curves(run / "logs")


def _name(value: Any) -> Any:
    """A setting, without the folders of a path."""
    return PurePath(value.replace("\\", "/")).name if isinstance(value, str) and "/" in value else value


def _thinned(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """The first and the last, and some between."""
    points = [point for point in points if isfinite(point[1])]
    step = -(-len(points) // POINTS) or 1
    return [*points[:-1:step], *points[-1:]]
