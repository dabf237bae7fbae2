"""How good forecasts are.

Key: W windows, H steps of the horizon, L levels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from elman.tasks.forecast.naive import naive, naive2, seasonal_error, seasonal_naive

Array = np.ndarray

CLEAR = 2.0
"""Standard errors by which a mean must be larger, so that luck does not look like knowledge."""


@dataclass(frozen=True)
class Judged:
    """One window: what was known, what came, and what was forecast."""

    name: str
    """Of its series."""
    known: Array
    """(T,), all steps of the series before the horizon."""
    came: Array
    """(H,), NaN where nothing is known."""
    said: Array
    """(H,)."""
    quantiles: Array
    """(L, H)."""


def point_scores(windows: Sequence[Judged], season: int) -> dict[str, float]:
    """MAE, MSE, sMAPE and MASE, each next to those of the naive forecasts; and OWA where there is a season.

    sMAPE and OWA as in the M4 competition (Makridakis et al. 2020), MASE as Hyndman and Koehler 2006.
    """
    came = np.stack([one.came for one in windows])
    scales = np.array([seasonal_error(one.known, season) for one in windows])
    horizon = came.shape[1]
    rivals = {"": np.stack([one.said for one in windows])}
    rivals |= {f" of {name}": said for name, said in naive_forecasts(windows, season).items()}
    measured = {name: _measures(said, came, scales) for name, said in rivals.items()}
    scores = {measure + name: measured[name][measure] for measure in measured[""] for name in rivals}
    if season > 1:
        second = _measures(np.stack([naive2(one.known, horizon, season) for one in windows]), came, scales)
        scores["owa"] = _owa(measured[""], second)
        scores["owa of seasonal naive"] = _owa(measured[" of seasonal naive"], second)
    return scores


def naive_forecasts(windows: Sequence[Judged], season: int) -> dict[str, Array]:
    """What needs no network, by name, (W, H) each."""
    horizon = len(windows[0].came)
    found = {"naive": np.stack([naive(one.known, horizon) for one in windows])}
    if season < 2:
        return found
    return {"seasonal naive": np.stack([seasonal_naive(one.known, horizon, season) for one in windows]), **found}


def beats_naive(windows: Sequence[Judged], season: int) -> str:
    """In words, whether forecasts are nearer than the best naive ones by more than chance.

    Better is what is better in the mean over windows by two of its standard errors (Diebold and Mariano 1995, with
    windows that do not overlap).
    """
    came = np.stack([one.came for one in windows])
    known = ~np.isnan(came).all(1)
    ours = np.nanmean(np.abs(np.stack([one.said for one in windows]) - came)[known], 1)
    rivals = {
        name: np.nanmean(np.abs(said - came)[known], 1) for name, said in naive_forecasts(windows, season).items()
    }
    best = min(rivals, key=lambda name: float(np.nanmean(rivals[name])))
    gain = (rivals[best] - ours)[~np.isnan(rivals[best])]
    clear = len(gain) > 1 and gain.mean() > CLEAR * gain.std(ddof=1) / len(gain) ** 0.5
    return (
        f"the model is {'better' if clear else 'NOT clearly better'} than the {best} forecast: "
        f"mae {ours.mean():.4g} against {np.nanmean(rivals[best]):.4g} in {len(ours):,} windows"
    )


def _measures(said: Array, came: Array, scales: Array) -> dict[str, float]:
    errors = np.abs(said - came)
    sizes = np.abs(said) + np.abs(came)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = np.where(sizes > 0, 200 * errors / sizes, np.where(np.isnan(errors), np.nan, 0.0))
        scaled = np.nanmean(errors, 1) / np.where(scales > 0, scales, np.nan)
    return {
        "mae": float(np.nanmean(errors)),
        "mse": float(np.nanmean(errors**2)),
        "smape": float(np.nanmean(shares)),
        "mase": float(np.nanmean(scaled)) if not np.isnan(scaled).all() else float("nan"),
    }


def _owa(scores: dict[str, float], second: dict[str, float]) -> float:
    return (scores["smape"] / second["smape"] + scores["mase"] / second["mase"]) / 2


def interval_scores(windows: Sequence[Judged], levels: Sequence[float]) -> dict[str, float]:
    """The weighted quantile loss, and how many numbers came to lie between each level and its counterpart."""
    came = np.stack([one.came for one in windows])
    quantiles = np.stack([one.quantiles for one in windows], 1)  # (L, W, H)
    there = ~np.isnan(came)
    losses = []
    for level, line in zip(levels, quantiles, strict=True):
        error = came - line
        losses.append(2 * np.nansum(np.maximum(level * error, (level - 1) * error)) / np.nansum(np.abs(came)))
    scores = {"wql": float(np.mean(losses))}
    for number, level in enumerate(levels):
        if level < 0.5:
            inside = (came >= quantiles[number]) & (came <= quantiles[len(levels) - 1 - number])
            scores[f"coverage of {1 - 2 * level:.0%}"] = float(inside[there].mean())
    return scores
