"""How near forecasts come, window after window."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from elman.data import WindowBatch
from elman.tasks.forecast_scores import Judged, interval_scores, point_scores
from elman.tasks.task import Judge

if TYPE_CHECKING:
    from elman.tasks.forecast import Forecast


class Backtest(Judge):
    """How near forecasts come, beside naive ones."""

    def __init__(self, task: "Forecast") -> None:
        self.task = task
        self.nats, self.count = 0.0, 0
        self.windows: list[Judged] = []
        self.quantiles: list[Tensor] = []
        self.came: list[Tensor] = []
        """Both scaled, before calibration."""

    def add(self, network: nn.Module, batch: WindowBatch) -> None:
        found = self.task.outputs(network, batch)
        loss = self.task.loss_of(found, batch)
        self.nats, self.count = self.nats + float(loss.mean) * loss.count, self.count + loss.count
        self.quantiles.append(found.quantiles(self.task.options.levels()))
        self.came.append((batch.coming - found.centre) / found.scale)
        middle, quantiles = (tensor.numpy() for tensor in self.task.said(found))
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
            **point_scores(self.windows, self.task.season()),
            **interval_scores(self.windows, self.task.options.levels()),
        }

    def notes(self) -> tuple[str, ...]:
        scores = self.scores()
        rivals = [name for name in scores if name.startswith("mae of ")]
        best = min(rivals, key=lambda name: scores[name])
        better = "better" if scores["mae"] < scores[best] else "NOT better"
        rival = f"the {best.removeprefix('mae of ')} forecast"
        return (f"the model is {better} than {rival}: mae {scores['mae']:.4g} against {scores[best]:.4g}",)

    def written(self) -> list[str]:
        return [",".join([one.name, *(f"{value:g}" for value in one.said)]) for one in self.windows]
