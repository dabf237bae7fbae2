"""How near forecasts come, window after window."""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from elman.data import WindowBatch
from elman.models import Outputs
from elman.tasks.forecast.scores import Judged, beats_naive, interval_scores, point_scores
from elman.tasks.task import Judge


class Seer(Protocol):
    """Who forecasts."""

    def outputs(self, network: nn.Module, batch: WindowBatch) -> Outputs:
        """What a network says of windows."""
        ...

    def said(self, found: Outputs) -> tuple[Tensor, Tensor]:
        """Forecasts (H, B) and quantiles (H, B, L), as numbers are."""
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
        self.windows: list[Judged] = []
        self.quantiles: list[Tensor] = []
        self.came: list[Tensor] = []
        """Both scaled, before calibration."""

    def add(self, network: nn.Module, batch: WindowBatch) -> None:
        found = self.seer.outputs(network, batch)
        loss, count = found.loss(batch.coming)
        self.nats, self.count = self.nats + float(loss) * count, self.count + count
        self.quantiles.append(found.quantiles(self.levels))
        self.came.append(found.scaled(batch.coming))
        middle, quantiles = (tensor.numpy() for tensor in self.seer.said(found))
        for column, (one, origin) in enumerate(zip(batch.whole, batch.origins.tolist(), strict=True)):
            values = one.values.numpy().astype(float)
            horizon = slice(origin, origin + len(batch.coming))
            self.windows.append(
                Judged(one.name, values[:origin], values[horizon], middle[:, column], quantiles[:, column].T)
            )

    def scaled(self) -> tuple[Tensor, Tensor]:
        """Quantiles (H, W, L) before calibration and what came (H, W), scaled."""
        return torch.cat(self.quantiles, 1), torch.cat(self.came, 1)

    def scores(self) -> dict[str, float]:
        return {
            "loss": self.nats / max(1, self.count),
            **point_scores(self.windows, self.season),
            **interval_scores(self.windows, self.levels),
        }

    def notes(self) -> tuple[str, ...]:
        return (beats_naive(self.windows, self.season),)

    def written(self) -> list[str]:
        return [",".join([one.name, *(f"{value:g}" for value in one.said)]) for one in self.windows]
