"""How near forecasts come, window after window."""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from elman.data import Series, WindowBatch, comma_separated
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

    def shown(self, one: Series, origin: int, window: Judged) -> list[dict[str, Any]]:
        """A window of a series as rows."""
        ...

    def said(self, found: Outputs, wider: Tensor) -> tuple[Tensor, Tensor]:
        """Forecasts (H, B), and quantiles (H, B, L) with what is added to their levels (B, L); as numbers are."""
        ...


@dataclass(frozen=True)
class Said:
    """What was said of a batch of windows."""

    whole: Sequence[Series]
    origins: Sequence[int]
    outputs: Outputs
    came: Tensor
    """(H, B), scaled."""


class Backtest(Judge):
    """How near forecasts come, beside naive ones.

    Args:
        seer: Who forecasts.
        levels: Of quantiles.
        season: Steps after which things come again.
        trackers: What is known of the intervals of some series already, by name.
    """

    def __init__(
        self, seer: Seer, levels: Sequence[float], season: int, trackers: Mapping[str, Tracker] | None = None
    ) -> None:
        self.seer, self.levels, self.season, self.known = seer, levels, season, trackers or {}
        self.nats, self.count = 0.0, 0
        self.batches: list[Said] = []
        self._found: tuple[list[Judged], dict[str, Tracker]] | None = None

    def add(self, network: nn.Module, batch: WindowBatch) -> None:
        found = self.seer.outputs(network, batch)
        loss, count = found.loss(batch.coming)
        self.nats, self.count = self.nats + float(loss) * count, self.count + count
        self.batches.append(Said(batch.whole, batch.origins.tolist(), found, found.scaled(batch.coming)))
        self._found = None

    @property
    def windows(self) -> list[Judged]:
        """All of them, in the order in which they came; intervals follow how often earlier ones have held."""
        return self._followed()[0]

    def trackers(self) -> dict[str, Tracker]:
        """What has been learned of each series' intervals, by name."""
        return self._followed()[1]

    def _followed(self) -> tuple[list[Judged], dict[str, Tracker]]:
        if self._found is None:
            trackers = deepcopy(dict(self.known))
            wider = self._wider(trackers)
            self._found = (
                [one for pair in zip(self.batches, wider, strict=True) for one in self._judged(*pair)],
                trackers,
            )
        return self._found

    def _wider(self, trackers: dict[str, Tracker]) -> list[Tensor]:
        """What is added to the levels of each batch's windows, (B, L); trackers learn from them in order of time."""
        wider = [torch.zeros(len(said.origins), len(self.levels)) for said in self.batches]
        calibrated = [self.seer.calibrated(said.outputs) for said in self.batches]
        places = ((n, column) for n, said in enumerate(self.batches) for column in range(len(said.origins)))
        for number, column in sorted(places, key=lambda place: self.batches[place[0]].origins[place[1]]):
            said = self.batches[number]
            tracker = trackers.setdefault(said.whole[column].name, Tracker(self.levels))
            wider[number][column] = tracker.wider(said.origins[column])
            tracker.add(said.origins[column], calibrated[number][:, column], said.came[:, column])
        return wider

    def _judged(self, said: Said, wider: Tensor) -> Iterator[Judged]:
        middle, quantiles = (tensor.numpy() for tensor in self.seer.said(said.outputs, wider))
        for column, (one, origin) in enumerate(zip(said.whole, said.origins, strict=True)):
            values = one.values.numpy().astype(float)
            horizon = slice(origin, origin + len(said.came))
            yield Judged(one.name, values[:origin], values[horizon], middle[:, column], quantiles[:, column].T)

    def scaled(self) -> tuple[Tensor, Tensor]:
        """Quantiles (H, W, L) before calibration and what came (H, W), scaled."""
        quantiles = [said.outputs.quantiles(self.levels) for said in self.batches]
        return torch.cat(quantiles, 1), torch.cat([said.came for said in self.batches], 1)

    def scores(self) -> dict[str, float]:
        return {
            "loss": self.nats / max(1, self.count),
            **point_scores(self.windows, self.season),
            **interval_scores(self.windows, self.levels),
        }

    def notes(self) -> tuple[str, ...]:
        return (beats_naive(self.windows, self.season),)

    def rows(self) -> list[dict[str, Any]]:
        """Every step of every window: unique_id, cutoff (the last step that was known), ds, y, forecast, intervals."""
        places = [place for said in self.batches for place in zip(said.whole, said.origins, strict=True)]
        return [row for place, one in zip(places, self.windows, strict=True) for row in self.seer.shown(*place, one)]

    def written(self) -> list[str]:
        """The lines of `rows` as CSV."""
        return comma_separated(self.rows()).splitlines()
