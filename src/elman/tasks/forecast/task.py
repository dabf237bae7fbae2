"""The task `forecast`: learn what comes next in time series."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.data import (
    TABLES,
    Series,
    SeriesColumns,
    SeriesSet,
    SeriesWindows,
    Source,
    WindowBatch,
    centre_and_scale,
    embedded_series,
    read_frame,
    read_json,
    read_series,
    write_json,
)
from elman.errors import DataError, OptionError
from elman.layers import LayerState, Recurrent, find_cell
from elman.models import DirectForecaster, Forecaster, Head, Outputs, RecursiveForecaster, SegmentForecaster, find_head
from elman.pictures import draw_fan_chart
from elman.tasks.forecast.answers import check_ahead, number_or_none, rows_of, time_of
from elman.tasks.forecast.backtest import Backtest
from elman.tasks.forecast.intervals import Intervals
from elman.tasks.forecast.memory import SeriesMemory
from elman.tasks.forecast.options import COLUMNS, Forecasting, ForecastOptions
from elman.tasks.forecast.scores import Judged
from elman.tasks.forecast.tracking import Tracker
from elman.tasks.forecast.unusual import starts, surprises
from elman.tasks.forecast.windowing import Windowing, transformed
from elman.tasks.inspection.case import Case
from elman.tasks.options import Options
from elman.tasks.task import Batches, Examples, Judge, Loss, Task, judged, refuse_settings
from elman.tasks.unusual import Threshold

SHOWN = 3
"""Series whose last steps are told to whoever asks from afar."""


class Forecast(Task):
    """Time series: sales, loads, prices, weather, tracks."""

    name: ClassVar[str] = "forecast"
    summary: ClassVar[str] = "Learn what comes next in time series, with intervals."
    options_class: ClassVar[type[Options]] = ForecastOptions
    predicting_class: ClassVar[type[Options]] = Forecasting
    saved: ClassVar[str] = "intervals.json"
    answers_in_rows: ClassVar[bool] = True
    needs_input: ClassVar[bool] = False
    answers_with: ClassVar[str] = "rows"
    told = ("mae", "mase")

    options: ForecastOptions
    memory: SeriesMemory
    """What is known of the series of the training."""
    intervals: Intervals
    threshold: Threshold | None = None
    """Of errors that are unusual; known once training has ended."""
    trackers: Mapping[str, Tracker] = MappingProxyType({})
    """What has been learned of some series' intervals behind the training, by name."""

    def read(self, train: Path | None, valid: Path | None, start: Path | None = None) -> Examples:
        options = self.options
        found = embedded_series(options.embedded) if train is None else self._read(train)
        if start is not None:
            self.load(start)
        others = None if valid is None else self._read(valid, found)
        training, later, notes = self._split(found, others)
        known = {one.name: one for one in training}
        whole = [known[one.name].then(one) if one.name in known else one for one in later]
        if start is None:
            learned = [transformed(one, options.transform) for one in training]
            self.memory = SeriesMemory.of(learned, training, found.frequency, dict(found.categories)).up_to(whole)
        self.intervals = Intervals.untouched(options.levels(), options.horizon)
        windowing = self.windowing
        origins = windowing.training_origins(training)
        train_windows = windowing.of(training, origins, options.batch_size, options.epoch_windows)
        ends = [len(known[one.name]) if one.name in known else windowing.context for one in whole]
        valid_windows = windowing.of(whole, windowing.behind(ends, whole))
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
                "context": windowing.context,
                "horizon": options.horizon,
                "season": windowing.season,
            },
            fingerprint=found.fingerprint + (others.fingerprint if others else ""),
        )

    def _split(
        self, found: SeriesSet, others: SeriesSet | None
    ) -> tuple[Sequence[Series], Sequence[Series], tuple[str, ...]]:
        """Series to learn from, series that go on behind them or are others, and notes."""
        if others is not None:
            return found.series, others.series, (*found.notes, *others.notes)
        held = self.options.horizon * self.options.validation_windows
        training = [one.cut(0, max(1, len(one) - held)) for one in found.series]
        note = f"no validation data given: the last {held:,} steps of each series are it"
        return training, found.series, (*found.notes, note)

    def _read(self, source: Any, like: SeriesSet | None = None) -> SeriesSet:
        """Series of a file or frame; of the same kind as others, or as those of the training."""
        columns = SeriesColumns(**self.options.model_dump(include={*COLUMNS, "frequency"}))
        known: Any = like or getattr(self, "memory", None)
        return read_series(source, columns, known.categories if known else None, known.frequency if known else None)

    @property
    def windowing(self) -> Windowing:
        """How series are cut into windows."""
        return Windowing(self.options, self.memory)

    def read_to_score(self, path: Path) -> SeriesWindows:
        return self.windowing.to_score(self._read(path).series)

    def portions(self, path: Path, size: int | None) -> Iterator[tuple[Batches, Batches]]:
        """New steps behind those that are remembered, which are remembered then too."""
        whole = self.memory.joined(self._read(path).series)
        yield from self.windowing.portions(whole, size)
        self.memory = self.memory.up_to(whole)

    def received(self, given: Any) -> Any:
        if given != "" and not (isinstance(given, dict) and all(isinstance(column, list) for column in given.values())):
            raise DataError('forecast expects columns by name, such as {"ds": [...], "y": [...]}, or an empty text')
        return given

    def description(self) -> dict[str, Any]:
        options = self.options
        columns = {name: getattr(options, name) for name in COLUMNS}
        some = islice(self.memory.series.values(), SHOWN)
        recent = {one.name: self._recent(one) for one in some}
        return {"takes": "table", "columns": columns, "horizon": options.horizon, "recent": recent}

    def _recent(self, one: Series) -> dict[str, list[Any]]:
        """The last steps of a series, as columns."""
        steps = range(max(0, len(one) - self.windowing.context), len(one))
        values = [number_or_none(value) for value in one.values[steps.start :].tolist()]
        return {"ds": [time_of(one, step, self.memory) for step in steps], "y": values}

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
        body = options.body(features, window=self.windowing.context)
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
        return Backtest(self, self.options.levels(), self.windowing.season, self.trackers)

    def heed(self, judge: Judge) -> None:
        """Intervals go on from what they were in the end."""
        assert isinstance(judge, Backtest)
        self.trackers = judge.trackers()

    def settle(self, network: nn.Module, valid: Any, folder: Path) -> Backtest:
        """Make intervals hold what they promise on validation data, and draw the last windows."""
        before = judged(self.judge(), network, valid)
        assert isinstance(before, Backtest)
        self.intervals = Intervals.calibrated(self.options.levels(), *before.scaled())
        self.save(folder)
        with torch.inference_mode():
            usual = surprises(self, self.windowing, network, valid.read, starts(valid))
            self.threshold = Threshold.of(torch.tensor([one.error for one in usual]))
        self.threshold.save(folder)
        after = judged(self.judge(), network, valid)
        assert isinstance(after, Backtest)
        draw_fan_chart(
            folder / "pictures" / "forecast.png", after.windows, self.options.levels(), self.windowing.context
        )
        return after

    @torch.no_grad()
    def case(self, network: nn.Module, given: Any) -> Case:
        """How large the first step to come is said to be, of the first series."""
        body = getattr(network, "body", None)
        if not isinstance(body, Recurrent):
            raise OptionError("this model has no recurrent layers to look into; expected network = recurrent")
        found = self.memory.series.values() if _nothing(given) else self.memory.joined(self._read(given).series)
        one = next(iter(found))
        check_ahead([one], self.memory, self.options.horizon)
        batch = next(iter(self.windowing.of([one], [[len(one)]])))
        first = len(one) - self.windowing.context
        return Case(
            self._read_together([str(time_of(one, step, self.memory)) for step in range(first, len(one))]),
            body,
            self._rows(network, [one]),
            lambda: self.outputs(network, batch).middle()[0, 0],
        )

    def _read_together(self, times: list[str]) -> list[str]:
        """Times of what is read at each step: of several, where those of a segment are one."""
        if self.options.decode != "segment":
            return times
        size = self.options.segment
        cuts = [0, *range(len(times) % size or size, len(times) + 1, size)]
        return [times[a] if b == a + 1 else f"{times[a]} to {times[b - 1]}" for a, b in pairwise(cuts)]

    @property
    def uploads(self) -> tuple[str, ...]:
        return TABLES

    def read_inputs(self, path: Source) -> list[Any]:
        return [path if isinstance(path, Path) else read_frame(path)]

    def rows(self, inputs: Sequence[Any], answers: Sequence[Any]) -> list[dict[str, Any]]:
        return list(answers)

    @torch.inference_mode()
    def predict(self, network: nn.Module, inputs: Sequence[Any], **settings: Any) -> list[Any]:
        """A row for each series and step to come, behind what is known of the training or of the inputs.

        With `unusual`, a row for each step of the inputs that training has not seen.

        Args:
            network: What forecasts.
            inputs: Frames of Polars or pandas, or paths; none, or an empty text, goes on behind the training data.
            settings: Those of `Forecasting`.
        """
        unusual, rows = Forecasting.of(settings).unusual, []
        for given in inputs or [""]:
            if unusual:
                rows += self._judged(network, given)
                continue
            found = self.memory.series.values() if _nothing(given) else self.memory.joined(self._read(given).series)
            rows += self._rows(network, list(found))
        return rows

    def _rows(self, network: nn.Module, series: list[Series]) -> list[dict[str, Any]]:
        check_ahead(series, self.memory, self.options.horizon)
        rows: list[dict[str, Any]] = []
        levels, trackers = self.options.levels(), dict(self.trackers) | self._trackers(network, series)
        for batch in self.windowing.of(series, [[len(one)] for one in series]):
            wider = torch.stack([trackers.get(one.name, Tracker(levels)).wider(len(one)) for one in batch.whole])
            middle, quantiles = self.said(self.outputs(network, batch), wider)
            for column, one in enumerate(batch.whole):
                rows += rows_of(
                    one, len(one), self.memory, levels, middle[:, column].numpy(), quantiles[:, column].T.numpy()
                )
        return rows

    def _judged(self, network: nn.Module, given: Any) -> list[dict[str, Any]]:
        """A row for each step that training has not seen."""
        threshold = Threshold.wanted(self.threshold)
        if _nothing(given):
            raise OptionError("unusual judges new steps; received none; give them with --input")
        whole = self.memory.joined(self._read(given).series)
        firsts = [len(one) - self.windowing.new(one) for one in whole]
        if all(first >= len(one) for one, first in zip(whole, firsts, strict=True)):
            return []
        return [
            {
                "unique_id": one.whole.name,
                "ds": time_of(one.whole, one.step, self.memory),
                "y": number_or_none(one.came),
                "forecast": number_or_none(one.said),
                "error": number_or_none(round(one.error, 6)),
                "unusual": threshold.judge(one.error),
            }
            for one in surprises(self, self.windowing, network, whole, firsts)
        ]

    def _trackers(self, network: nn.Module, series: Sequence[Series]) -> dict[str, Tracker]:
        """What the steps that training has not seen say about each series' intervals, by name."""
        unseen = self.windowing.unseen(series)
        if unseen is None:
            return {}
        found = judged(self.judge(), network, unseen)
        assert isinstance(found, Backtest)
        return found.trackers()

    def shown(self, one: Series, origin: int, window: Judged) -> list[dict[str, Any]]:
        """A window of a series as rows: from where it was forecast, when, what came, what was said."""
        rows = rows_of(one, origin, self.memory, self.options.levels(), window.said, window.quantiles)
        cutoff = time_of(one, origin - 1, self.memory)
        return [row | {"cutoff": cutoff, "y": y} for row, y in zip(rows, window.came.tolist(), strict=True)]

    def calibrated(self, found: Outputs) -> Tensor:
        """Quantiles (H, B, L) that held what they promise on validation data, scaled."""
        return self.intervals(found.quantiles(self.options.levels()))

    def said(self, found: Outputs, wider: Tensor) -> tuple[Tensor, Tensor]:
        """Forecasts (H, B), and quantiles (H, B, L) with what is added to their levels (B, L); as numbers are."""
        centre, scale = found.centre, found.scale
        quantiles = (self.calibrated(found) + wider).sort(-1).values
        return self.windowing.back(centre + scale * found.middle()), self.windowing.back(
            centre.unsqueeze(1) + scale.unsqueeze(1) * quantiles
        )

    def save(self, folder: Path) -> None:
        self.memory.save(folder)
        self.options.save_cell(folder)
        trackers = {name: tracker.as_json() for name, tracker in self.trackers.items()}
        write_json(folder / self.saved, {**self.intervals.as_json(), "trackers": trackers})

    def load(self, folder: Path) -> None:
        self.memory = SeriesMemory.load(folder)
        known = read_json(folder / self.saved)
        self.intervals = Intervals.from_json(known)
        self.trackers = {name: Tracker.from_json(one) for name, one in known.get("trackers", {}).items()}
        self.threshold = Threshold.load(folder)


def _nothing(given: Any) -> bool:
    return given is None or (isinstance(given, str) and not given.strip())
