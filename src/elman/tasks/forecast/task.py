"""The task `forecast`: learn what comes next in time series."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.data import (
    Series,
    SeriesColumns,
    SeriesSet,
    SeriesWindows,
    WindowBatch,
    centre_and_scale,
    embedded_series,
    read_json,
    read_series,
    write_json,
)
from elman.errors import DataError
from elman.layers import LayerState, Recurrent, find_cell
from elman.models import DirectForecaster, Forecaster, Head, Outputs, RecursiveForecaster, SegmentForecaster, find_head
from elman.pictures import draw_fan_chart
from elman.tasks.forecast.backtest import Backtest
from elman.tasks.forecast.intervals import Intervals
from elman.tasks.forecast.memory import SeriesMemory
from elman.tasks.forecast.options import COLUMNS, Forecasting, ForecastOptions
from elman.tasks.forecast.tracking import Tracker
from elman.tasks.options import Options
from elman.tasks.task import Batches, Examples, Loss, Task, judged, refuse_settings

AT_ONCE = 512
"""Windows that are judged or answered side by side."""


class Forecast(Task):
    """Time series: sales, loads, prices, weather, tracks."""

    name: ClassVar[str] = "forecast"
    summary: ClassVar[str] = "Learn what comes next in time series, with intervals."
    options_class: ClassVar[type[Options]] = ForecastOptions
    predicting_class: ClassVar[type[Options]] = Forecasting
    saved: ClassVar[str] = "intervals.json"
    answers_in_rows: ClassVar[bool] = True
    continues: ClassVar[bool] = True
    told = ("mae", "mase")

    options: ForecastOptions
    memory: SeriesMemory
    """What is known of the series of the training."""
    intervals: Intervals

    def read(self, train: Path | None, valid: Path | None, start: Path | None = None) -> Examples:
        options = self.options
        found = embedded_series(options.embedded) if train is None else self._read(train)
        if start is not None:
            self.load(start)
        training, later, notes = self._split(found, valid)
        known = {one.name: one for one in training}
        whole = [known[one.name].then(one) if one.name in known else one for one in later]
        if start is None:
            learned = [self._transformed(one) for one in training]
            self.memory = SeriesMemory.of(learned, training, found.frequency, dict(found.categories)).up_to(whole)
        self.intervals = Intervals.untouched(options.levels(), options.horizon)
        train_windows = self._windows(
            training, self._training_origins(training), options.batch_size, options.epoch_windows
        )
        ends = [len(known[one.name]) if one.name in known else self._context() for one in whole]
        valid_windows = self._windows(
            whole,
            [_behind(end, len(one), options.horizon, self._stride()) for end, one in zip(ends, whole, strict=True)],
        )
        return Examples(
            train=train_windows,
            valid=valid_windows,
            notes=notes,
            rows=tuple(
                f"{one.name or 'series'}: {', '.join(f'{v:g}' for v in one.values[:12].tolist())}, ..."
                for one in whole[:3]
            ),
            facts={
                "series": len(found),
                "steps": found.steps,
                "training windows": len(train_windows.windows),
                "validation windows": len(valid_windows.windows),
                "context": self._context(),
                "horizon": options.horizon,
                "season": self.season(),
            },
            fingerprint=found.fingerprint,
        )

    def _split(
        self, found: SeriesSet, valid: Path | None
    ) -> tuple[Sequence[Series], Sequence[Series], tuple[str, ...]]:
        """Series to learn from, series that go on behind them or are others, and notes."""
        if valid is not None:
            later = self._read(valid, found)
            return found.series, later.series, (*found.notes, *later.notes)
        held = self.options.horizon * self.options.validation_windows
        training = [one.cut(0, max(1, len(one) - held)) for one in found.series]
        note = f"no validation data given: the last {held:,} steps of each series are it"
        return training, found.series, (*found.notes, note)

    def _read(self, source: Any, like: SeriesSet | None = None) -> SeriesSet:
        """Series of a file or frame; of the same kind as others, or as those of the training."""
        columns = SeriesColumns(**self.options.model_dump(include={*COLUMNS, "frequency"}))
        known: Any = like or getattr(self, "memory", None)
        return read_series(source, columns, known.categories if known else None, known.frequency if known else None)

    def season(self) -> int:
        """Steps after which things come again."""
        return self.options.season or self.memory.frequency.season

    def _context(self) -> int:
        return self.options.context or max(3 * self.options.horizon, 2 * self.season())

    def _stride(self) -> int:
        return self.options.stride or self.options.horizon

    def _training_origins(self, training: Sequence[Series]) -> list[Sequence[int]]:
        """Every step behind a whole context; in short series every step in their second half."""
        context, horizon = self._context(), self.options.horizon
        lasts = [len(one) - horizon for one in training]
        return [range(min(context, max(last // 2, 1)), last + 1) for last in lasts]

    def _windows(
        self,
        series: Sequence[Series],
        origins: Sequence[Sequence[int]],
        batch_size: int = AT_ONCE,
        epoch_windows: int | None = None,
    ) -> SeriesWindows:
        """Windows of series, with the facts that training found out of them."""
        learned = [self._transformed(one) for one in series]
        shape = self._context(), self.options.horizon
        return SeriesWindows(
            learned,
            *self.memory.facts_for(learned),
            self.memory.frequency,
            *shape,
            origins,
            batch_size,
            epoch_windows=epoch_windows,
            read=series,
        )

    def _transformed(self, one: Series) -> Series:
        """A series as the network sees it."""
        if self.options.transform == "none":
            return one
        least = 0.0 if self.options.transform == "log" else -1.0
        if (one.values <= least).any():
            raise DataError(
                f"series {one.name!r} has values of {least:g} or less, which have no logarithm; "
                "take transform = log1p or none"
            )
        return replace(one, values=one.values.log() if self.options.transform == "log" else one.values.log1p())

    def _back(self, values: Tensor) -> Tensor:
        """From what is learned to numbers as they are."""
        return {"none": lambda v: v, "log": torch.exp, "log1p": torch.expm1}[self.options.transform](values)

    def read_to_score(self, path: Path) -> SeriesWindows:
        return self.windows_to_score(self._read(path).series)

    def windows_to_score(self, found: Sequence[Series]) -> SeriesWindows:
        """Windows behind what is remembered; of series that training has not seen, behind their first context.

        Raises:
            DataError: They are too short for one.
        """
        whole = self.memory.joined(found)
        origins = []
        for one in whole:
            end = max(len(one) - self._new(one), 0 if one.name in self.memory.series else self._context())
            end = self._context() if end >= len(one) else end  # nothing new: judge on what there is
            origins.append(_behind(end, len(one), self.options.horizon, self._stride()))
        return self._windows(whole, origins)

    def portions(self, path: Path, size: int | None) -> Iterator[tuple[Batches, Batches]]:
        """New steps behind those that are remembered, which are remembered then too."""
        found = self._read(path).series
        whole, horizon = self.memory.joined(found), self.options.horizon
        size = max(size or horizon, horizon)
        ends = [len(one) - self._new(one) for one in whole]
        for first in range(0, max(map(self._new, whole)), size):
            parts = [one.cut(0, min(end + first + size, len(one))) for one, end in zip(whole, ends, strict=True)]
            starts = [max(end, self._context()) + first for end in ends]
            tests = [_behind(at, len(one), horizon, self._stride()) for at, one in zip(starts, parts, strict=True)]
            lessons = [
                range(max(1, at - horizon + 1), len(one) - horizon + 1) for at, one in zip(starts, parts, strict=True)
            ]
            if any(tests):
                yield self._windows(parts, tests), self._windows(parts, lessons, self.options.batch_size)
        self.memory = self.memory.up_to(whole)

    def _new(self, one: Series) -> int:
        """Steps that are not remembered."""
        known = self.memory.series.get(one.name)
        return len(one) if known is None else len(one) - (known.start - one.start + len(known))

    def network(self) -> Forecaster:
        options, memory = self.options, self.memory
        static, ahead = len(memory.scalers[2].mean), len(memory.scalers[1].mean)
        calendar = memory.frequency.calendar(0, 1).shape[1] if options.calendar else 0
        features = 2 + len(memory.scalers[0].mean) + ahead + calendar + static
        outputs = self.head().size
        known_ahead = ahead + calendar + static
        if options.decode == "segment":
            return SegmentForecaster(
                find_cell(options.cell),
                features,
                options.horizon,
                known_ahead,
                outputs,
                segment=options.segment,
                hidden_size=options.hidden_size,
                series=len(memory.series),
                dropout=options.output_dropout,
            )
        body = options.body(features, window=self._context())
        if isinstance(body, Recurrent) and options.decode == "recursive":
            return RecursiveForecaster(body, known_ahead, outputs, options.output_dropout)
        sizes = options.horizon, known_ahead, outputs, options.embedding_size
        return DirectForecaster(body, *sizes, options.output_dropout)

    def head(self) -> Head:
        """What is said of a step."""
        return find_head(self.options.head, self.options.levels())

    def outputs(self, network: nn.Module, batch: WindowBatch, *, learning: bool = False) -> Outputs:
        """What a network says of windows; while learning it may see what comes."""
        centre, scale = centre_and_scale(self.options.scaling, batch.known, batch.facts)
        head = self.head()
        horizon = len(batch.coming)
        there = ~batch.known.isnan()
        values = ((batch.known - centre) / scale).nan_to_num()
        if self.options.changes:
            values = torch.cat([torch.zeros_like(values[:1]), values.diff(dim=0)])
        past, future, static = self.memory.scalers
        ahead = [future(batch.ahead[..., : len(future.mean)]).nan_to_num()]
        if self.options.calendar:
            ahead.append(batch.ahead[..., len(future.mean) :].nan_to_num())
        ahead.append(static(batch.static).nan_to_num().expand(len(batch.ahead), -1, -1))
        around = torch.cat(ahead, 2)
        covariates = past(batch.past).nan_to_num()
        known = torch.cat([values.unsqueeze(2), there.unsqueeze(2).to(values), covariates, around[:-horizon]], 2)
        coming = (batch.coming - centre) / scale if learning else None
        said = network(
            known, around[-horizon:], batch.numbers, lambda numbers: head.middle(numbers, centre, scale), coming
        )
        return Outputs(head, said, centre, scale)

    def loss(self, network: nn.Module, batch: WindowBatch, state: LayerState | None) -> Loss:
        outputs = self.outputs(network, batch, learning=network.training)
        loss, count = outputs.loss(batch.coming)
        if network.training and self.teacher is not None:
            with torch.no_grad():
                known = self.outputs(self.teacher.network, batch)
            loss = self.teacher.mix(loss, F.mse_loss(outputs.numbers, known.numbers))
        return Loss(loss, count, None)

    def judge(self, **settings: Any) -> Backtest:
        refuse_settings(settings)
        return Backtest(self, self.options.levels(), self.season())

    def settle(self, network: nn.Module, valid: Any, folder: Path) -> Backtest:
        """Make intervals hold what they promise on validation data, and draw the last windows."""
        before = judged(self.judge(), network, valid)
        assert isinstance(before, Backtest)
        self.intervals = Intervals.calibrated(self.options.levels(), *before.scaled())
        self.save(folder)
        after = judged(self.judge(), network, valid)
        assert isinstance(after, Backtest)
        draw_fan_chart(folder / "pictures" / "forecast.png", after.windows, self.options.levels(), self._context())
        return after

    def read_inputs(self, path: Path) -> list[Path]:
        return [path]

    def rows(self, inputs: Sequence[Any], answers: Sequence[Any]) -> list[dict[str, Any]]:
        return list(answers)

    @torch.inference_mode()
    def predict(self, network: nn.Module, inputs: Sequence[Any], **settings: Any) -> list[Any]:
        """A row for each series and step to come, behind what is known of the training or of the inputs.

        Args:
            network: What forecasts.
            inputs: Frames of Polars or pandas, or paths; none, or an empty text, goes on behind the training data.
            settings: None so far.
        """
        Forecasting.of(settings)
        rows = []
        for given in inputs or [""]:
            found = self.memory.series.values() if _nothing(given) else self.memory.joined(self._read(given).series)
            rows += self._rows(network, list(found))
        return rows

    def _rows(self, network: nn.Module, series: list[Series]) -> list[dict[str, Any]]:
        self._check_ahead(series)
        rows: list[dict[str, Any]] = []
        levels = self.options.levels()
        trackers = self._trackers(network, series)
        for batch in self._windows(series, [[len(one)] for one in series]):
            wider = torch.stack(
                [
                    trackers[one.name].wider(len(one)) if one.name in trackers else torch.zeros(len(levels))
                    for one in batch.whole
                ]
            )
            middle, quantiles = self.said(self.outputs(network, batch), wider)
            for column, number in enumerate(batch.series.tolist()):
                one = series[number]
                for step in range(self.options.horizon):
                    time = self.memory.frequency.time(one.start + len(one) + step)
                    row = {"unique_id": one.name, "ds": str(time) if isinstance(time, datetime) else time}
                    row["forecast"] = float(middle[step, column])
                    for place, level in enumerate(levels):
                        if level != 0.5:
                            share = f"{abs(2 * level - 1) * 100:g}"
                            row[f"{'lo' if level < 0.5 else 'hi'}-{share}"] = float(quantiles[step, column, place])
                    rows.append(row)
        return rows

    def _trackers(self, network: nn.Module, series: Sequence[Series]) -> dict[str, Tracker]:
        """What the steps that training has not seen say about each series' intervals, by name."""
        ends = [max(len(one) - self._new(one), self._context()) for one in series]
        horizon = self.options.horizon
        origins = [_behind(end, len(one), horizon, horizon) for end, one in zip(ends, series, strict=True)]
        if not any(origins):
            return {}
        found = judged(self.judge(), network, self._windows(series, origins))
        assert isinstance(found, Backtest)
        return found.trackers()

    def _check_ahead(self, series: Sequence[Series]) -> None:
        if not len(self.memory.scalers[1].mean):
            return
        for one in series:
            if len(one.future) < len(one) + self.options.horizon:
                frequency, last = self.memory.frequency, one.start + len(one.future) - 1
                raise DataError(
                    f"what is known ahead of series {one.name!r} stops at {frequency.time(last)}; expected it up to "
                    f"{frequency.time(one.start + len(one) + self.options.horizon - 1)}; add rows without a target"
                )

    def calibrated(self, found: Outputs) -> Tensor:
        """Quantiles (H, B, L) that held what they promise on validation data, scaled."""
        return self.intervals(found.quantiles(self.options.levels()))

    def said(self, found: Outputs, wider: Tensor) -> tuple[Tensor, Tensor]:
        """Forecasts (H, B), and quantiles (H, B, L) with what is added to their levels (B, L); as numbers are."""
        centre, scale = found.centre, found.scale
        quantiles = (self.calibrated(found) + wider).sort(-1).values
        return self._back(centre + scale * found.middle()), self._back(
            centre.unsqueeze(1) + scale.unsqueeze(1) * quantiles
        )

    def save(self, folder: Path) -> None:
        self.memory.save(folder)
        self.options.save_cell(folder)
        write_json(folder / self.saved, self.intervals.as_json())

    def load(self, folder: Path) -> None:
        self.memory = SeriesMemory.load(folder)
        self.intervals = Intervals.from_json(read_json(folder / self.saved))


def _behind(end: int, length: int, horizon: int, stride: int) -> range:
    """Origins from the end of what is known on, so that each horizon lies within the series."""
    return range(end, length - horizon + 1, stride)


def _nothing(given: Any) -> bool:
    return given is None or (isinstance(given, str) and not given.strip())
