"""Windows of time series: some steps that are known, and those behind them that are forecast.

Key: N series, C steps of context, H of the horizon, B windows, P past covariates, Q covariates known ahead, S constants
    of a series.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from elman.data.batch import TensorBatch
from elman.data.series.frequency import Frequency
from elman.data.series.series import Series
from elman.errors import DataError


@dataclass(frozen=True)
class WindowBatch(TensorBatch):
    """What a forecaster knows, and what comes; NaN where nothing is known."""

    known: Tensor
    """(C, B)."""
    past: Tensor
    """(C, B, P)."""
    ahead: Tensor
    """(C + H, B, Q), the calendar among them."""
    static: Tensor
    """(B, S)."""
    coming: Tensor
    """(H, B)."""
    facts: Tensor
    """(B, 4), of the series, as `facts_of` gives them."""
    numbers: Tensor
    """(B,), of the series as training counts them, from 1; 0 for those that it has not seen."""
    series: Tensor
    """(B,), which series each window is of."""
    origins: Tensor
    """(B,), the first step of the horizon, counted from the series' first one."""
    whole: tuple[Series, ...] = ()
    """The series of each window, as they were read."""
    fresh: bool = True
    """Nothing is carried from one batch to the next."""


class SeriesWindows:
    """Windows of several series, at chosen origins.

    Args:
        series: With the same covariates.
        facts: (N, 4), as `facts_of` gives them.
        numbers: (N,), of the series as training counts them.
        frequency: Of all of them.
        context: C; before a series begins nothing is known.
        horizon: H; behind a series' end nothing is known.
        origins: Of each series, the first steps of the horizons.
        batch_size: Windows of a batch.
        epoch_windows: Windows drawn for an epoch, in another order each; all of them when omitted.
        read: The series as they were read, where those that the network sees are others.
        name: What to call the series in an error.

    Raises:
        DataError: There is no window.
    """

    def __init__(
        self,
        series: Sequence[Series],
        facts: Tensor,
        numbers: Tensor,
        frequency: Frequency,
        context: int,
        horizon: int,
        origins: Sequence[Sequence[int]],
        batch_size: int,
        *,
        epoch_windows: int | None = None,
        read: Sequence[Series] | None = None,
        name: str = "the series",
    ) -> None:
        self.read, self.facts, self.numbers = read or series, facts, numbers
        self.context, self.horizon, self.batch_size = context, horizon, batch_size
        pairs = [(number, origin) for number, each in enumerate(origins) for origin in each]
        if not pairs:
            raise DataError(
                f"{name} have no window: expected {horizon} steps to forecast and at least as many before them; the "
                f"longest of {len(series):,} series has {max(map(len, series), default=0)}; give a smaller --horizon"
            )
        self.windows = torch.tensor(pairs)
        self.count = min(epoch_windows or len(pairs), len(pairs))
        calendars = [frequency.calendar(one.start, max(len(one), len(one.future)) + horizon) for one in series]
        self.values = _laid([one.values.unsqueeze(1) for one in series], context, horizon)
        self.past = _laid([one.past for one in series], context, horizon)
        self.future = _laid([one.future for one in series], context, horizon)
        self.calendar = _laid(calendars, context, 0)
        self.static = torch.stack([one.static for one in series])

    def __len__(self) -> int:
        return -(-self.count // self.batch_size)

    def batch(self, position: int) -> WindowBatch:
        """The batch at a position of an endless reading, epoch after epoch."""
        epoch, number = divmod(position, len(self))
        if getattr(self, "_known", (None,))[0] != epoch:
            order = torch.randperm(len(self.windows), generator=torch.Generator().manual_seed(epoch))
            self._known = (epoch, order[: self.count])
        return self.of(self.windows[self._known[1][number * self.batch_size : (number + 1) * self.batch_size]])

    def __iter__(self) -> Iterator[WindowBatch]:
        return (self.of(part) for part in self.windows.split(self.batch_size))

    def of(self, windows: Tensor) -> WindowBatch:
        """The batch of some windows (B, 2): series and origin."""
        series, origins = windows.unbind(1)
        values = self.values.cut(series, origins, self.context + self.horizon).squeeze(2)
        return WindowBatch(
            known=values[: self.context],
            past=self.past.cut(series, origins, self.context),
            ahead=torch.cat(
                [one.cut(series, origins, self.context + self.horizon) for one in (self.future, self.calendar)], 2
            ),
            static=self.static[series],
            coming=values[self.context :],
            facts=self.facts[series],
            numbers=self.numbers[series],
            series=series,
            origins=origins,
            whole=tuple(self.read[number] for number in series.tolist()),
        )


@dataclass(frozen=True)
class _Laid:
    """Sequences one after the other, with room around each."""

    rows: Tensor
    """(steps, width)."""
    starts: Tensor
    """(N,), where the room before each begins."""

    def cut(self, series: Tensor, origins: Tensor, count: int) -> Tensor:
        """So many steps from the beginning of each window, (count, B, width)."""
        first = self.starts[series] + origins
        return self.rows[first + torch.arange(count).unsqueeze(1)]


def _laid(parts: Sequence[Tensor], before: int, behind: int) -> _Laid:
    width = parts[0].shape[1]
    nothing = parts[0].new_full((before, width), float("nan")), parts[0].new_full((behind, width), float("nan"))
    rows = torch.cat([piece for part in parts for piece in (nothing[0], part, nothing[1])])
    sizes = torch.tensor([before + len(part) + behind for part in parts])
    return _Laid(rows, sizes.cumsum(0) - sizes)
