"""How near forecasts come, window after window."""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from elman.data import WindowBatch
from elman.models import Outputs
from elman.tasks.forecast.scores import Judged, beats_naive, interval_scores, point_scores
from elman.tasks.forecast.tracking import Tracker
from elman.tasks.task import Judge


class Seer(Protocol):
    """Who forecasts."""

    def outputs(self, network: nn.Module, batch: WindowBatch) -> Outputs:
        """What a network says of windows."""
        ...

    def calibrated(self, found: Outputs) -> Tensor:
        """Quantiles (H, B, L) that held what they promise on validation data, scaled."""
        ...

    def said(self, found: Outputs, wider: Tensor) -> tuple[Tensor, Tensor]:
        """Forecasts (H, B), and quantiles (H, B, L) with what is added to their levels (B, L); as numbers are."""
        ...


class Backtest(Judge):
    """How near forecasts come, beside naive ones.

    Args:
        seer: Who forecasts.
        levels: Of quantiles.
        season: Steps after which things come again.
    """

    def __init__(self, seer: Seer, levels: Sequence[float], season: int) -> None:
        self.seer, self.levels, self.season = seer, levels, season
        self.nats, self.count = 0.0, 0
        self.found: list[tuple[WindowBatch, Outputs]] = []

    def add(self, network: nn.Module, batch: WindowBatch) -> None:
        found = self.seer.outputs(network, batch)
        loss, count = found.loss(batch.coming)
        self.nats, self.count = self.nats + float(loss) * count, self.count + count
        self.found.append((batch, found))

    @property
    def windows(self) -> list[Judged]:
        """All of them, in the order in which they came; intervals follow how often earlier ones have held."""
        windows = []
        for (batch, found), wider in zip(self.found, self._wider(), strict=True):
            middle, quantiles = (tensor.numpy() for tensor in self.seer.said(found, wider))
            for column, (one, origin) in enumerate(zip(batch.whole, batch.origins.tolist(), strict=True)):
                values = one.values.numpy().astype(float)
                horizon = slice(origin, origin + len(batch.coming))
                said = middle[:, column], quantiles[:, column].T
                windows.append(Judged(one.name, values[:origin], values[horizon], *said))
        return windows

    def _wider(self) -> list[Tensor]:
        """What is added to the levels of each batch's windows, (B, L)."""
        return self._tracked()[0]

    def trackers(self) -> dict[str, Tracker]:
        """What has been learned of each series' intervals, by name."""
        return self._tracked()[1]

    def _tracked(self) -> tuple[list[Tensor], dict[str, Tracker]]:
        trackers: dict[str, Tracker] = {}
        wider = [torch.zeros(len(batch.whole), len(self.levels)) for batch, _ in self.found]
        calibrated = [self.seer.calibrated(found) for _, found in self.found]
        for origin, number, column in sorted(
            (origin, number, column)
            for number, (batch, _) in enumerate(self.found)
            for column, origin in enumerate(batch.origins.tolist())
        ):
            batch, found = self.found[number]
            tracker = trackers.setdefault(batch.whole[column].name, Tracker(self.levels))
            wider[number][column] = tracker.wider(origin)
            came = found.scaled(batch.coming)[:, column]
            tracker.add(origin + len(came), calibrated[number][:, column], came)
        return wider, trackers

    def scaled(self) -> tuple[Tensor, Tensor]:
        """Quantiles (H, W, L) before calibration and what came (H, W), scaled."""
        quantiles = [found.quantiles(self.levels) for _, found in self.found]
        return torch.cat(quantiles, 1), torch.cat([found.scaled(batch.coming) for batch, found in self.found], 1)

    def scores(self) -> dict[str, float]:
        windows = self.windows
        return {
            "loss": self.nats / max(1, self.count),
            **point_scores(windows, self.season),
            **interval_scores(windows, self.levels),
        }

    def notes(self) -> tuple[str, ...]:
        return (beats_naive(self.windows, self.season),)

    def written(self) -> list[str]:
        return [",".join([one.name, *(f"{value:g}" for value in one.said)]) for one in self.windows]
