"""Intervals that follow how often they hold: Angelopoulos, Candès and Tibshirani 2023, "Conformal PID control".

Key: L levels, H steps of the horizon.
"""

from collections import deque
from collections.abc import Sequence
from statistics import median
from typing import Any

import torch
from torch import Tensor

RATE = 0.5
"""How fast widths follow: of the usual error, for each share of numbers that lies outside and should not."""
RECENT = 20
"""Windows of which the usual error is the median, so that single ones far away do not count."""


class Tracker:
    """How much wider the intervals of one series are to be than calibration says, window after window in time.

    Args:
        levels: L, rising, as many below the middle as above.

    Example:
        >>> tracker = Tracker([0.1, 0.5, 0.9])
        >>> tracker.add(3, torch.tensor([[-1.0, 0.0, 1.0]]), torch.tensor([3.0]))
        >>> tracker.wider(3).tolist(), [round(value, 2) for value in tracker.wider(4).tolist()]
        ([0.0, 0.0, 0.0], [-1.2, 0.0, 1.2])
    """

    def __init__(self, levels: Sequence[float]) -> None:
        self.levels = tuple(levels)
        self._wider = torch.zeros(len(levels))
        self._errors: deque[float] = deque(maxlen=RECENT)
        self._pending: deque[tuple[int, Tensor, Tensor, float]] = deque()
        self._last: int | None = None

    def wider(self, origin: int) -> Tensor:
        """What to add to each level (L,) at a step, from all windows whose horizon has ended by then."""
        while self._pending and self._pending[0][0] <= origin:
            self._see(*self._pending.popleft()[1:])
        return self._wider.clone()

    def add(self, origin: int, quantiles: Tensor, came: Tensor) -> None:
        """A window that begins at a step: calibrated quantiles (H, L), and what comes (H,), NaN where it is not known.

        Windows come in order; where they overlap each counts for the steps that it is behind the one before.
        """
        horizon = len(came)
        weight = 1.0 if self._last is None else min(1.0, (origin - self._last) / horizon)
        self._last = origin
        shown = (quantiles + self._wider).sort(-1).values
        self._pending.append((origin + horizon, shown, came, weight))

    def _see(self, shown: Tensor, came: Tensor, weight: float) -> None:
        there = ~came.isnan()
        if not there.any():
            return
        shown, came = shown[there], came[there]
        middle = len(self.levels) // 2
        self._errors.append(float((came - shown[:, middle]).abs().mean()))
        for low in range(middle):
            high = len(self.levels) - 1 - low
            outside = (came < shown[:, low]) | (came > shown[:, high])
            missed = float(outside.float().mean()) - (1 - self.levels[high] + self.levels[low])
            narrowest = self._wider[high] - (shown[:, high] - shown[:, low]).mean() / 2
            step = RATE * weight * median(self._errors) * missed
            self._wider[high] = torch.maximum(self._wider[high] + step, narrowest)
            self._wider[low] = -self._wider[high]

    def as_json(self) -> dict[str, Any]:
        """What `from_json` reads."""
        wider = self.wider(max((end for end, *_ in self._pending), default=0))
        return {"levels": self.levels, "wider": wider.tolist(), "errors": list(self._errors)}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Tracker":
        """What `as_json` gave."""
        tracker = cls(value["levels"])
        tracker._wider = torch.tensor(value["wider"])
        tracker._errors.extend(value["errors"])
        return tracker
