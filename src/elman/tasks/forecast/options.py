"""The settings of the task `forecast`."""

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from elman.data import EmbeddedSeries, Scaling
from elman.models import HeadName
from elman.tasks.body_options import BodyOptions
from elman.tasks.options import Count, Options

COLUMNS = ("series", "time", "target", "past", "future", "static")


class ForecastOptions(BodyOptions):
    """What is learned from time series, and with what."""

    reading: ClassVar[tuple[str, ...]] = ("embedded", *COLUMNS, "frequency")
    columns: ClassVar[tuple[str, ...]] = (*COLUMNS, "stride")
    learned: ClassVar[tuple[str, ...]] = (
        *("horizon", "context", "scaling", "transform", "changes", "head", "intervals", "calendar"),
    )
    fixed: ClassVar[tuple[str, ...]] = (*BodyOptions.fixed, "decode", "segment")

    embedded: EmbeddedSeries = "airline"
    """The series where no file is given: airline passengers, or a random walk."""
    series: str | None = None
    """The column that says which series a row belongs to; unique_id if there is one, else all rows are one series."""
    time: str | None = None
    """The column of times; ds if there is one, else rows follow each other."""
    target: str = "y"
    """The column that is forecast; each of several with commas between them is a series of its own."""
    past: str = ""
    """Columns that are known up to now, with commas between them: numbers, or a few words."""
    future: str = ""
    """Columns that are known ahead."""
    static: str = ""
    """Columns that stay the same in a series."""
    frequency: str | None = None
    """How far steps are apart, such as 15min, 1h, 1d, 1w, 1mo; found out when nothing is said."""
    season: Count | None = None
    """Steps after which things come again; by the frequency when nothing is said, a day of hours for example."""
    horizon: Count = 12
    """Steps that are forecast."""
    context: Count | None = None
    """Steps that are read before; three horizons, or two seasons if that is more, when nothing is said."""
    decode: Literal["direct", "recursive", "segment"] = "direct"
    """All steps at once, one after the other each from the last, or segments at once from segments."""
    segment: Count = 12
    """Steps of a segment."""
    scaling: Scaling = "window"
    """Scale by the window's mean, by its last value, by the whole series' mean or median, or not at all."""
    transform: Literal["none", "log", "log1p"] = "none"
    """Learn logarithms; log1p where there are zeros."""
    changes: bool = False
    """Read how values change from step to step, not the values; with transform = log these are log returns."""
    head: HeadName = "quantiles"
    """What is said of a step to come: a value near in squares or distance, quantiles, or a distribution."""
    intervals: str = "80,95"
    """Percent of the numbers to come that should lie in intervals, with commas between them."""
    calendar: bool = True
    """Read the time of day, week and year."""
    batch_size: Count = 64
    """Windows that are read side by side."""
    epoch_windows: Count | None = None
    """Windows drawn for an epoch; all there are when nothing is said."""
    validation_windows: Count = 1
    """Horizons at the end of each series that validate, when no file is given for that."""
    stride: Count | None = None
    """Steps from one window to the next when a model is judged; the horizon when nothing is said."""

    @model_validator(mode="after")
    def _options_that_act(self) -> Self:
        if self.decode == "segment" and (self.num_layers > 1 or self.residual or self.memory):
            raise ValueError("decode = segment has one layer of few steps; leave num_layers, residual and memory away")
        if self.decode != "direct" and self.network != "recurrent":
            raise ValueError(f"network = {self.network} reads whole windows; take decode = direct")
        levels_of(self.intervals)
        return self

    def levels(self) -> tuple[float, ...]:
        """Of all intervals' ends, and the middle."""
        return levels_of(self.intervals)


class Forecasting(Options):
    """How it is answered."""

    unusual: bool = False
    """Say of each frame of a video, or new step of a series, how far off the model was, and whether that is unusual."""


def levels_of(intervals: str) -> tuple[float, ...]:
    """The ends of intervals in percent, and the middle, rising.

    Raises:
        ValueError: They are none.

    Example:
        >>> levels_of("80")
        (0.1, 0.5, 0.9)
    """
    try:
        shares = [float(one) / 100 for one in intervals.split(",") if one.strip()]
    except ValueError:
        shares = [0.0]
    if not all(0 < share < 1 for share in shares):
        raise ValueError(f"intervals expects percents such as 80,95; received {intervals!r}")
    ends = {round((1 + side * share) / 2, 6) for share in shares for side in (-1, 1)}
    return tuple(sorted(ends | {0.5}))
