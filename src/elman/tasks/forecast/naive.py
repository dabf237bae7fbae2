"""Forecasts that need no network: every score of a forecaster stands beside theirs.

Key: T known steps, H of the horizon, M steps of a season.
"""

import numpy as np

Array = np.ndarray


def naive(known: Array, horizon: int) -> Array:
    """The last known value again and again, (H,).

    Example:
        >>> naive(np.array([1.0, 2.0, np.nan]), 2)
        array([2., 2.])
    """
    there = known[~np.isnan(known)]
    return np.full(horizon, there[-1] if len(there) else np.nan)


def seasonal_naive(known: Array, horizon: int, season: int) -> Array:
    """What was one season before, (H,); the last value where a season is not known.

    Example:
        >>> seasonal_naive(np.array([1.0, 2.0, 3.0, 4.0]), 3, 2)
        array([3., 4., 3.])
    """
    if len(known) < season or season < 2:
        return naive(known, horizon)
    last = known[len(known) - season :]
    found = np.resize(last, horizon)
    return np.where(np.isnan(found), naive(known, horizon), found)


def naive2(known: Array, horizon: int, season: int) -> Array:
    """The last value after the season is taken out, and the season put back: Naïve 2 of the M competitions, (H,).

    The season is taken out where its autocorrelation is more than chance (90%), by classical multiplicative
    decomposition, as in Makridakis et al. 2020.
    """
    if not _is_seasonal(known, season):
        return naive(known, horizon)
    factors = seasonal_factors(known, season)
    flat = known / np.resize(factors, len(known))
    return naive(flat, horizon) * np.resize(np.roll(factors, -(len(known) % season)), horizon)


def seasonal_factors(known: Array, season: int) -> Array:
    """How many times the trend each place of a season is, (M,), by ratios to a centred moving average; mean 1."""
    weights = np.ones(season) if season % 2 else np.r_[0.5, np.ones(season - 1), 0.5]
    trend = np.convolve(known, weights / season, "valid")
    before = (len(known) - len(trend)) // 2
    ratios = np.full(len(known), np.nan)
    ratios[before : before + len(trend)] = known[before : before + len(trend)] / trend
    ratios = np.r_[ratios, np.full(-len(ratios) % season, np.nan)].reshape(-1, season)
    factors = np.nanmean(ratios, 0)
    return factors / factors.mean()


def _is_seasonal(known: Array, season: int) -> bool:
    if season < 2 or len(known) < 3 * season or np.isnan(known).any() or (known <= 0).any():
        return False
    centred = known - known.mean()
    variance = (centred**2).sum()
    if variance == 0:
        return False
    correlations = np.array([(centred[lag:] * centred[:-lag]).sum() / variance for lag in range(1, season + 1)])
    limit = 1.645 * np.sqrt((1 + 2 * (correlations[:-1] ** 2).sum()) / len(known))
    return bool(abs(correlations[-1]) > limit)


def seasonal_error(known: Array, season: int) -> float:
    """The mean error of the seasonal naive forecast of one step inside what is known: what MASE divides by.

    Example:
        >>> seasonal_error(np.array([1.0, 2.0, 4.0]), 1)
        1.5
    """
    lag = season if len(known) > season else 1
    errors = np.abs(known[lag:] - known[:-lag])
    return float(np.nanmean(errors)) if len(errors) and not np.isnan(errors).all() else float("nan")
