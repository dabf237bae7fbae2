"""Intervals that hold what they promise: moved until validation data lies in them as often as it should.

Conformalised quantile regression, Romano, Patterson and Candès 2019.

Key: L levels, H steps of the horizon, W windows.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

ENOUGH = 100
"""Windows from which each step of the horizon has a width of its own."""


class Intervals:
    """How much each level moves, in the scale of a window.

    Args:
        levels: L, rising, as many below the middle as above.
        moved: (H, L), what is added to them.
    """

    def __init__(self, levels: Sequence[float], moved: Tensor) -> None:
        self.levels, self.moved = tuple(levels), moved

    @classmethod
    def untouched(cls, levels: Sequence[float], horizon: int) -> "Intervals":
        """Nothing is known yet."""
        return cls(levels, torch.zeros(horizon, len(levels)))

    @classmethod
    def calibrated(cls, levels: Sequence[float], quantiles: Tensor, came: Tensor) -> "Intervals":
        """From quantiles (H, W, L) and what came (H, W), NaN where that is not known; both scaled.

        Example:
            >>> came = torch.linspace(-1, 1, 101).expand(2, -1)
            >>> found = Intervals.calibrated([0.1, 0.5, 0.9], torch.zeros(2, 101, 3), came)
            >>> round(float(found.moved[0, 2]), 1), float(found.moved[0, 1])
            (0.8, 0.0)
        """
        horizon, windows = came.shape
        moved = torch.zeros(horizon, len(levels))
        for low in range(len(levels) // 2):
            high = len(levels) - 1 - low
            outside = torch.maximum(quantiles[..., low] - came, came - quantiles[..., high])
            rows = outside if windows >= ENOUGH else outside.reshape(1, -1)
            wider = torch.stack([_share(row[~row.isnan()], levels[high] - levels[low]) for row in rows])
            moved[:, low], moved[:, high] = -wider, wider
        return cls(levels, moved)

    def __call__(self, quantiles: Tensor) -> Tensor:
        """Scaled quantiles (H, B, L) as they should be, none above the next."""
        return (quantiles + self.moved.unsqueeze(1)).sort(-1).values

    def as_json(self) -> dict[str, Any]:
        """What `from_json` reads."""
        return {"levels": self.levels, "moved": self.moved.tolist()}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Intervals":
        """What `as_json` gave."""
        return cls(value["levels"], torch.tensor(value["moved"]))


def _share(values: Tensor, share: float) -> Tensor:
    """What so many of values do not exceed, with the correction for how few they are."""
    if not len(values):
        return torch.tensor(0.0)
    place = min(share * (len(values) + 1) / len(values), 1.0)
    return values.quantile(place, interpolation="higher")
