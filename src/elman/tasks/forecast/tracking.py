"""Intervals that follow how often they hold: Angelopoulos, Candès and Tibshirani 2023, "Conformal PID control".

Key: L levels, H steps of the horizon.
"""

from collections import deque
from collections.abc import Sequence

import torch
from torch import Tensor

RATE = 0.2
"""How fast widths follow: of the farthest miss of late, for each share that lies outside and should not."""
RECENT = 20
"""Windows of which the farthest miss is taken."""


class Tracker:
    """How much wider the intervals of one series are to be than calibration says, window after window in time.

    Args:
        levels: L, rising, as many below the middle as above.

    Example:
        >>> tracker = Tracker([0.1, 0.5, 0.9])
        >>> tracker.add(4, torch.tensor([[-1.0, 0.0, 1.0]]), torch.tensor([3.0]))
        >>> tracker.wider(3).tolist(), [round(value, 2) for value in tracker.wider(4).tolist()]
        ([0.0, 0.0, 0.0], [-0.16, 0.0, 0.16])
    """

    def __init__(self, levels: Sequence[float]) -> None:
        self.levels = tuple(levels)
        self._wider = torch.zeros(len(levels))
        self._pending: deque[tuple[int, Tensor, Tensor, Tensor]] = deque()
        self._far = [deque(maxlen=RECENT) for _ in range(len(levels) // 2)]

    def wider(self, origin: int) -> Tensor:
        """What to add to each level (L,) at a step, from all windows whose horizon has ended by then."""
        while self._pending and self._pending[0][0] <= origin:
            self._see(*self._pending.popleft()[1:])
        return self._wider.clone()

    def add(self, end: int, quantiles: Tensor, came: Tensor) -> None:
        """A window whose horizon ends before a step: calibrated quantiles (H, L), and what comes (H,) or NaN."""
        self._pending.append((end, quantiles, came, self._wider.clone()))

    def _see(self, quantiles: Tensor, came: Tensor, wider: Tensor) -> None:
        there = ~came.isnan()
        if not there.any():
            return
        for low, far in enumerate(self._far):
            high = len(self.levels) - 1 - low
            outside = torch.maximum(quantiles[:, low] - came, came - quantiles[:, high])[there]
            far.append(float(outside.abs().max()))
            missed = float((outside > wider[high]).float().mean()) - (1 - self.levels[high] + self.levels[low])
            self._wider[high] += RATE * max(far) * missed
            self._wider[low] = -self._wider[high]
