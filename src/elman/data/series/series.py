"""Time series from a long table: one row for each series and time, with whatever else is known.

Key: T steps, P past covariates, Q covariates known ahead, S constants of a series.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from elman.data.frames import check_column, is_number, read_frame
from elman.data.series.frequency import Frequency
from elman.errors import DataError, OptionError

if TYPE_CHECKING:
    import polars

FORMATS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
    "%Y-%m",
    "%Y/%m/%d",
    "%d/%m/%Y",
    "%Y",
)
"""How times may be written."""

MOST = 32
"""Different words of a covariate at most."""


@dataclass(frozen=True)
class SeriesColumns:
    """Where in a table things stand; names with commas between them where there may be several."""

    series: str | None = None
    """Which series a row belongs to; "unique_id" if there is one, otherwise all rows are of one series."""
    time: str | None = None
    """When; "ds" if there is one, otherwise rows follow each other."""
    target: str = "y"
    """What is forecast; each of several columns is a series of its own."""
    past: str = ""
    """What else is known up to now."""
    future: str = ""
    """What is known ahead."""
    static: str = ""
    """What stays the same in a series."""
    frequency: str | None = None
    """As in `Frequency.named`; found out when omitted."""


@dataclass(frozen=True)
class Series:
    """One series on a grid of equal steps; what is missing is NaN."""

    name: str
    start: int
    """The place of its first step, as its `Frequency` counts."""
    values: Tensor
    """(T,)."""
    past: Tensor
    """(T, P)."""
    future: Tensor
    """(T or more, Q)."""
    static: Tensor
    """(S,)."""

    def __len__(self) -> int:
        return len(self.values)

    def cut(self, first: int, last: int | None = None) -> "Series":
        """From one step up to another; what is known ahead stays."""
        parts = {name: getattr(self, name)[first:last] for name in ("values", "past")}
        return replace(self, start=self.start + first, future=self.future[first:], **parts)

    def then(self, later: "Series") -> "Series":
        """This series, and what came later; where both have a value the later one counts."""
        first, last = min(self.start, later.start), max(self.start + len(self), later.start + len(later))
        ahead = max(self.start + len(self.future), later.start + len(later.future))

        def joined(name: str, end: int) -> Tensor:
            old, new = getattr(self, name), getattr(later, name)
            found = old.new_full((end - first, *old.shape[1:]), float("nan"))
            for one, start in ((old, self.start - first), (new, later.start - first)):
                known = ~one.isnan()
                found[start : start + len(one)][known] = one[known]
            return found

        return replace(
            later, start=first, values=joined("values", last), past=joined("past", last), future=joined("future", ahead)
        )


@dataclass(frozen=True)
class SeriesSet:
    """Series of one frequency, and what a person should know about them."""

    series: tuple[Series, ...]
    frequency: Frequency
    categories: Mapping[str, tuple[str, ...]]
    """Words that stand in covariates, by column."""
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.series)

    @property
    def steps(self) -> int:
        """Of all series together."""
        return sum(map(len, self.series))

    @property
    def fingerprint(self) -> str:
        """Tells whether a later call reads the same."""
        digest = hashlib.sha256()
        for one in self.series:
            digest.update(f"{one.name} {one.start}".encode())
            for tensor in (one.values, one.past, one.future, one.static):
                digest.update(tensor.numpy().tobytes())
        return digest.hexdigest()


def read_series(
    source: "Path | polars.DataFrame | Any",
    columns: SeriesColumns,
    categories: Mapping[str, Sequence[str]] | None = None,
    frequency: Frequency | None = None,
) -> SeriesSet:
    """The series of a table.

    Times become a regular grid, whose frequency is found out; steps that are missing, values that are missing or
    infinite, times that come twice (the last row counts) and rows out of order are counted and told.

    Args:
        source: A file as in `read_frame`, or a frame of Polars or pandas.
        columns: Where things stand.
        categories: Words of covariates that training has seen; found out when omitted.
        frequency: That of the training; found out when omitted.

    Raises:
        DataError: The file cannot be used.
        OptionError: An option is impossible.
    """
    path, frame = (source, read_frame(source)) if isinstance(source, Path) else ("the frame", as_frame(source))
    if not len(frame):
        raise DataError(f"{path} has no rows; expected at least one")
    return _Reader(str(path), frame, columns, categories, frequency).read()


def as_frame(frame: Any) -> "polars.DataFrame":
    """A frame of Polars from one of Polars or pandas, or from columns by name.

    Raises:
        DataError: It is none of these.
    """
    import polars

    if isinstance(frame, polars.DataFrame):
        return frame
    try:
        return polars.DataFrame({str(name): polars.Series(_column(frame[name])) for name in frame})
    except (TypeError, ValueError, polars.exceptions.PolarsError) as error:
        raise DataError(f"expected a frame of Polars or pandas; received {type(frame).__name__}: {error}") from error


def _column(values: Any) -> np.ndarray:
    """An array; None among numbers is NaN, as in JSON what is missing."""
    found = np.asarray(values)
    if found.dtype == object and all(value is None or isinstance(value, int | float | np.number) for value in found):
        return found.astype(np.float64)
    return found


class _Reader:
    """Reads one table."""

    def __init__(
        self,
        name: str,
        frame: "polars.DataFrame",
        columns: SeriesColumns,
        categories: Mapping[str, Sequence[str]] | None,
        frequency: Frequency | None,
    ) -> None:
        self.name, self.frame, self.columns, self.frequency = name, frame, columns, frequency
        self.learned = categories is None
        self.parsed: list[Any] | None = None
        self.categories: dict[str, tuple[str, ...]] = {n: tuple(words) for n, words in (categories or {}).items()}
        self.found: dict[str, int] = {}
        """How often something had to be mended."""

    def read(self) -> SeriesSet:
        columns, have = self.columns, self.frame.columns
        series = columns.series or ("unique_id" if "unique_id" in have else None)
        time = columns.time or ("ds" if "ds" in have else None)
        targets, past, future, static = (
            [one.strip() for one in text.split(",") if one.strip()]
            for text in (columns.target, columns.past, columns.future, columns.static)
        )
        for name in filter(None, (series, time, *targets, *past, *future, *static)):
            check_column(self.name, name, have)
        if not targets:
            raise OptionError("target expects the name of a column; received nothing")
        groups = self._groups(series)
        times = {name: self._times(time, rows) for name, rows in groups.items()}
        frequency = self._frequency(times)
        made = []
        for target in targets:
            for name, rows in groups.items():
                label = name if len(targets) == 1 else f"{name} {target}".strip()
                made.append(self._series(label, target, rows, times[name], frequency, past, future, static))
        kept = tuple(one for one in made if len(one))
        if not kept:
            raise DataError(
                f"{self.name} has no value in {', '.join(targets)}: all are missing; is it the right column?"
            )
        if len(kept) < len(made):
            self.found[f"series have no value at all and are left out, such as {_missing(made, kept)}"] = len(
                made
            ) - len(kept)
        said = f"{len(kept):,} series, {frequency.name} apart"
        notes = [said, *(f"{count:,} {what}" for what, count in self.found.items() if count)]
        return SeriesSet(kept, frequency, self.categories, tuple(notes))

    def _groups(self, series: str | None) -> dict[str, np.ndarray]:
        if series is None:
            return {"": np.arange(len(self.frame))}
        names = np.asarray([str(value) for value in self.frame[series].to_list()])
        order = np.argsort(names, kind="stable")
        cuts = np.flatnonzero(names[order][1:] != names[order][:-1]) + 1
        parts = np.split(order, cuts)
        return {str(names[part[0]]): part for part in sorted(parts, key=lambda part: part[0])}

    def _times(self, time: str | None, rows: np.ndarray) -> list[Any]:
        if time is None:
            return list(range(len(rows)))
        if self.parsed is None:
            self.parsed = _parsed(self.frame[time].to_list(), f"{self.name}, column {time!r}")
        return [self.parsed[row] for row in rows]

    def _frequency(self, times: Mapping[str, list[Any]]) -> Frequency:
        if self.frequency is not None:
            first, dates = next(iter(times.values()))[0], self.frequency.kind != "numbers"
            if isinstance(first, datetime) != dates:
                expected = f"dates, {self.frequency.name} apart" if dates else "whole numbers, or no column of times"
                raise DataError(f"{self.name} begins at the time {first}; expected {expected}, as in training")
            return self.frequency
        if self.columns.frequency is not None:
            return Frequency.named(self.columns.frequency, next(iter(times.values()))[0])
        several = {name: each for name, each in times.items() if len(each) > 1}
        if not several:
            raise DataError(f"{self.name} has no series of two rows or more; expected several times in each")
        found: dict[Frequency, str] = {}
        for name, each in several.items():
            found.setdefault(replace(Frequency.of(each), offset=0), name)
        if len(found) > 1:
            (one, first), (other, second) = list(found.items())[:2]
            raise DataError(
                f"{self.name} has series of different frequencies: {first!r} is {one.name} apart, {second!r} "
                f"{other.name}; expected one; train them one by one, or give --frequency"
            )
        return Frequency.of(next(iter(several.values())))

    def _series(
        self,
        name: str,
        target: str,
        rows: np.ndarray,
        times: Sequence[Any],
        frequency: Frequency,
        past: Sequence[str],
        future: Sequence[str],
        static: Sequence[str],
    ) -> Series:
        places = np.array([frequency.number(time) for time in times])
        if (np.diff(places) < 0).any():
            self._count("series have rows out of order, which are sorted")
        start, length = int(places.min()), int(np.ptp(places)) + 1
        if length > 50 * len(places) + 1000:
            raise DataError(
                f"{self.name} has {len(places):,} rows of series {name!r} over {length:,} steps of {frequency.name}; "
                "expected most steps to have one; give --frequency, or mend the times"
            )
        self._count("rows have a time that comes again, of which the last counts", len(places) - len(set(places)))

        def laid(columns: Sequence[Tensor]) -> Tensor:
            grid = torch.full((length, sum(one.shape[1] for one in columns)), float("nan"))
            grid[places - start] = torch.cat(list(columns), 1)[rows] if columns else grid[places - start]
            return grid

        values = laid([self._numbers(target)])[:, 0]
        known = (~values.isnan()).nonzero().flatten()
        first, last = (int(known[0]), int(known[-1]) + 1) if len(known) else (0, 0)
        self._count("steps between have no row, and no value", length - len(set(places)))
        self._count(
            "values are missing or infinite", int(values[first:last].isnan().sum()) - (length - len(set(places)))
        )
        constants = (
            torch.cat([self._covariate(one) for one in static], 1)[rows] if static else torch.zeros(len(rows), 0)
        )
        if static and len(constants.unique(dim=0)) > 1:
            raise DataError(
                f"{self.name} has several values of {', '.join(static)} in the series {name!r}; expected one"
            )
        return Series(
            name,
            start + first,
            values[first:last],
            laid([self._covariate(one) for one in past])[first:last],
            laid([self._covariate(one) for one in future])[first:],
            constants[0],
        )

    def _count(self, what: str, times: int = 1) -> None:
        self.found[what] = self.found.get(what, 0) + max(0, times)

    def _numbers(self, column: str) -> Tensor:
        """(rows, 1); what is missing or infinite is NaN."""
        import polars

        try:
            found = self.frame[column].cast(polars.Float64).to_numpy()
        except polars.exceptions.PolarsError:
            values = self.frame[column].drop_nulls().to_list()
            wrong = next((value for value in values if not is_number(value)), values[0])
            raise DataError(f"{self.name} expects numbers in the column {column!r}; received {wrong!r}") from None
        return torch.from_numpy(np.where(np.isfinite(found), found, np.nan).astype(np.float32)).unsqueeze(1)

    def _covariate(self, column: str) -> Tensor:
        """(rows, width): numbers as they are, words as one number for each of them."""
        import polars

        values = self.frame[column]
        if values.dtype != polars.String and column not in self.categories:
            return self._numbers(column)
        words = [str(value) for value in values.to_list()]
        if self.learned and column not in self.categories:
            self.categories[column] = tuple(sorted(set(words)))
            if len(self.categories[column]) > MOST:
                raise DataError(
                    f"{self.name} has {len(self.categories[column]):,} different words in the covariate {column!r}; "
                    f"expected {MOST} at most, or numbers"
                )
        known = self.categories[column]
        return torch.tensor([[float(word == other) for other in known] for word in words]).view(len(words), len(known))


def _missing(made: Sequence[Series], kept: Sequence[Series]) -> str:
    names = {one.name for one in kept}
    return repr(next(one.name for one in made if one.name not in names))


def _parsed(values: Sequence[Any], place: str) -> list[Any]:
    """Times as datetimes, or whole numbers."""
    if all(isinstance(value, datetime) for value in values):
        return [value.replace(tzinfo=None) for value in values]
    if all(isinstance(value, date) for value in values):
        return [datetime(value.year, value.month, value.day) for value in values]
    if all(isinstance(value, int | float | np.number) and float(value).is_integer() for value in values):
        return [int(value) for value in values]
    for form in FORMATS:
        try:
            return [datetime.strptime(str(value), form) for value in values]
        except ValueError:
            continue
    raise DataError(
        f"{place} has times that cannot be read, such as {values[0]!r}; expected 2024-01-31 12:00:00, 2024-01-31, "
        "2024-01 or whole numbers; or leave the column away, if rows follow each other"
    )
