"""What is in the columns of a table: counts, moments, quantiles, histograms, frequent values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from modelwright.data.json_values import to_json
from modelwright.data.schema import Column, ColumnType
from modelwright.data.table import Table

MOST_BINS = 20
MOST_TOP = 10
LONGEST_TEXT = 200
QUANTILES = (1, 5, 25, 50, 75, 95, 99)


@dataclass(frozen=True, slots=True)
class Bin:
    """Values from `start` up to, but not with, `end`; the last bin of a histogram has its end too."""

    start: Any
    end: Any
    count: int


@dataclass(frozen=True, slots=True)
class TopValue:
    """A frequent value and how often it occurs; a long text is cut."""

    value: Any
    count: int


@dataclass(frozen=True)
class ColumnProfile:
    """What is in one column; figures that its type has not, or that no value gives, are None.

    count: values that are there.  missing: nulls, and what is not a number.  infinite: infinities;
    they are counted and left out of all figures below.  unique: different values.
    mean … kurtosis: of numbers; deviation, variance, skewness and excess kurtosis are those of a
    sample (bias-corrected), as spreadsheets give them.  minimum, maximum and quantiles (by percent,
    linear between neighbours) also of dates and times.
    histogram: of numbers, dates and times.  top: of text and truth values, the most frequent first.
    """

    column: Column
    count: int
    missing: int
    infinite: int = 0
    unique: int | None = None
    minimum: Any = None
    maximum: Any = None
    mean: float | None = None
    median: Any = None
    deviation: float | None = None
    variance: float | None = None
    skewness: float | None = None
    kurtosis: float | None = None
    quantiles: Mapping[int, Any] = field(default_factory=dict)
    histogram: tuple[Bin, ...] = ()
    top: tuple[TopValue, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """All of it as one JSON object; values as `json_values` writes them."""
        figures = {
            name: to_json(getattr(self, name))
            for name in (
                "count", "missing", "infinite", "unique", "minimum", "maximum", "mean", "median",
                "deviation", "variance", "skewness", "kurtosis",
            )
        }  # fmt: skip
        bins = [
            {"start": to_json(b.start), "end": to_json(b.end), "count": b.count}
            for b in self.histogram
        ]
        return {
            **self.column.to_json(),
            "role": self.column.role.value,
            "categorical": self.column.categorical,
            **figures,
            "quantiles": {str(percent): to_json(q) for percent, q in self.quantiles.items()},
            "histogram": bins,
            "top": [{"value": to_json(t.value), "count": t.count} for t in self.top],
        }


@dataclass(frozen=True)
class Profile:
    """What is in a table, column by column."""

    rows: int
    columns: tuple[ColumnProfile, ...]

    def to_json(self) -> dict[str, Any]:
        """All of it as one JSON object."""
        return {"rows": self.rows, "columns": [column.to_json() for column in self.columns]}


def profile(table: Table, columns: Sequence[str] | None = None) -> Profile:
    """What is in a table, or in some of its columns.  Raises MissingColumn.

    Sorts each numeric column once, which gives every figure that depends on order.
    """
    chosen = table.schema.names if columns is None else columns
    schema = tuple(table.schema.column(name) for name in chosen)
    return Profile(table.rows, tuple(_profile(c, table.frame[c.name]) for c in schema))


def _profile(column: Column, series: pl.Series) -> ColumnProfile:
    present = series.drop_nulls()
    match column.type:
        case ColumnType.DOUBLE | ColumnType.INTEGER:
            return _of_numbers(column, present, len(series))
        case ColumnType.DATETIME:
            return _of_moments(column, present, len(series))
        case ColumnType.STRING | ColumnType.BOOLEAN:
            return _of_values(column, present, len(series))
        case ColumnType.OTHER:
            return ColumnProfile(column, len(present), len(series) - len(present))


def _of_numbers(column: Column, present: pl.Series, rows: int) -> ColumnProfile:
    infinite = 0
    if column.type is ColumnType.DOUBLE:
        present = present.drop_nans()
        finite = present.filter(present.is_finite())
        infinite, count = len(present) - len(finite), len(present)
        present = finite
    else:
        count = len(present)
    if not len(present):
        return ColumnProfile(column, count, rows - count, infinite, unique=min(infinite, 1))
    ordered = present.sort().to_numpy()
    quantiles = {percent: _quantile(ordered, percent / 100) for percent in QUANTILES}
    spread = _spread(present)
    return ColumnProfile(
        column,
        count,
        rows - count,
        infinite,
        _different(ordered) + (infinite > 0),
        ordered[0].item(),
        ordered[-1].item(),
        _finite(present.mean()),
        quantiles[50],
        *spread,
        quantiles,
        _histogram(ordered),
    )


def _spread(present: pl.Series) -> tuple[float | None, float | None, float | None, float | None]:
    """Standard deviation, variance, skewness and excess kurtosis of a sample."""
    count = len(present)
    values = present.cast(pl.Float64)
    variance = _finite(values.var()) if count > 1 else None
    deviation = math.sqrt(variance) if variance is not None else None
    # Of equal values the moments about the mean are rounding errors.
    varied = bool(variance)
    skewness = _finite(values.skew(bias=False)) if varied and count > 2 else None
    kurtosis = _finite(values.kurtosis(bias=False)) if varied and count > 3 else None
    return deviation, variance, skewness, kurtosis


def _of_moments(column: Column, present: pl.Series, rows: int) -> ColumnProfile:
    count = len(present)
    if not count:
        return ColumnProfile(column, 0, rows, unique=0)
    ordered = present.to_physical().sort().to_numpy()

    def moment(place: float) -> Any:
        return pl.Series([round(place)], dtype=pl.Int64).cast(present.dtype)[0]

    quantiles = {percent: moment(_quantile(ordered, percent / 100)) for percent in QUANTILES}
    return ColumnProfile(
        column,
        count,
        rows - count,
        unique=_different(ordered),
        minimum=moment(ordered[0]),
        maximum=moment(ordered[-1]),
        median=quantiles[50],
        quantiles=quantiles,
        # The last edge may lie beyond the year 9999, which a date in a form often stands for.
        histogram=tuple(
            Bin(moment(b.start), moment(min(b.end, ordered[-1])), b.count)
            for b in _histogram(ordered)
        ),
    )


def _of_values(column: Column, present: pl.Series, rows: int) -> ColumnProfile:
    counted = present.alias("value").value_counts(name="count")
    # Ties in the order of the values, so that a table has one profile.
    top = counted.top_k(MOST_TOP, by=["count", "value"], reverse=[False, True])
    top = top.sort("count", "value", descending=[True, False])
    shown = tuple(TopValue(_cut(value), count) for value, count in top.rows())
    return ColumnProfile(
        column, len(present), rows - len(present), unique=counted.height, top=shown
    )


def _different(ordered: np.ndarray) -> int:
    return int(np.count_nonzero(ordered[1:] != ordered[:-1])) + 1


def _quantile(ordered: np.ndarray, share: float) -> Any:
    place = share * (len(ordered) - 1)
    low, part = int(place), place - int(place)
    if not part:
        return ordered[low].item()
    # Not low + (high - low) * part: the difference of two large numbers can be infinite.
    return float(ordered[low]) * (1 - part) + float(ordered[low + 1]) * part


def _histogram(ordered: np.ndarray) -> tuple[Bin, ...]:
    """Bins of equal width, at most one for each root of the count; whole numbers have whole edges."""
    low, high = ordered[0].item(), ordered[-1].item()
    most = min(MOST_BINS, math.ceil(math.sqrt(len(ordered))))
    if isinstance(low, int):
        width = -(-(high - low + 1) // most)
        starts = list(range(low, high + 1, width))
        # Python's whole numbers do not overflow where those of NumPy would.
        edges: list[Any] = [*starts, starts[-1] + width]
        inner: Any = np.array(starts[1:], dtype=np.int64)
    elif low == high:
        return (Bin(low, high, len(ordered)),)
    else:
        shares = np.linspace(0, 1, most + 1)
        inner = low * (1 - shares[1:-1]) + high * shares[1:-1]
        edges = [low, *inner.tolist(), high]
    places = [0, *np.searchsorted(ordered, inner, side="left").tolist(), len(ordered)]
    return tuple(
        Bin(edges[i], edges[i + 1], places[i + 1] - places[i]) for i in range(len(edges) - 1)
    )


def _finite(value: Any) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def _cut(value: Any) -> Any:
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return value[: LONGEST_TEXT - 1] + "…"
    return value
