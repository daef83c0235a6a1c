"""Summarize Data: descriptive statistics of every column."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Annotated

import polars as pl

from modelwright.components.contract import Component, Titled
from modelwright.components.outline import Outline, TableOutline
from modelwright.components.palette.column_flow import table_outline
from modelwright.components.palette.data_transformation.quantiles import around, between
from modelwright.data import large_columns
from modelwright.data.expression.table import named
from modelwright.data.large_columns import Vector
from modelwright.data.memory import is_large
from modelwright.data.schema import Column, ColumnType, Schema
from modelwright.data.table import Table

_PERCENTILES = {
    "1st Quartile": 0.25,
    "Median": 0.5,
    "3rd Quartile": 0.75,
    "P0.5": 0.005,
    "P1": 0.01,
    "P5": 0.05,
    "P95": 0.95,
    "P99.5": 0.995,
}
_COUNTS = ("Count", "Unique Value Count", "Missing Value Count")
_NUMBERS = (
    "Min",
    "Max",
    "Mean",
    "Mean Deviation",
    "1st Quartile",
    "Median",
    "3rd Quartile",
    "Mode",
    "Range",
    "Sample Variance",
    "Sample Standard Deviation",
    "Sample Skewness",
    "Sample Kurtosis",
    "P0.5",
    "P1",
    "P5",
    "P95",
    "P99.5",
)
# So few values of a large table are copied.
_FEW = 1 << 16
_MEASURED = (ColumnType.INTEGER, ColumnType.DOUBLE, ColumnType.BOOLEAN)
# Up to here each whole number is a float of its own.
_EXACT = 1 << 53


class SummarizeData(Component, category="Statistical Functions"):
    """Report descriptive statistics, one row for each column.

    Count is the number of rows, Unique Value Count that of different values without missing ones.
    Text and dates have counts only.  All other figures are of the values that are there; true counts as
    1 and false as 0, so that Min tells whether all are true and Max whether any is.  A figure that
    does not exist, such as the variance of one value, is missing, and so are all of a column
    without values.

    Quartiles and percentiles are interpolated between neighbouring values.  Mean Deviation is the mean
    distance from the mean; Range is Max - Min; Mode is the most frequent value, the smallest of
    several.  Variance and standard deviation divide by n - 1; skewness and kurtosis are corrected for
    the size of the sample (G1 and G2), and a normal law has the kurtosis 0.
    """

    def run(self, dataset: Table) -> Annotated[Table, Titled("Results dataset")]:
        described = _described_in_parts if is_large(dataset.frame) else _described
        rows = [described(dataset.frame, column) for column in dataset.schema]
        return Table(pl.DataFrame(rows, schema={c.name: c.type.dtype for c in _report()}))

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        table = table_outline(inputs)
        rows = len(table.schema) if table is not None and table.complete else None
        return {"results_dataset": TableOutline(_report(), rows=rows)}


def _report() -> Schema:
    return Schema(
        (
            Column("Feature", ColumnType.STRING),
            *(Column(name, ColumnType.INTEGER) for name in _COUNTS),
            *(Column(name, ColumnType.DOUBLE) for name in _NUMBERS),
        )
    )


def _described(frame: pl.DataFrame, column: Column) -> dict[str, object]:
    values = frame.get_column(column.name)
    values = (values.fill_nan(None) if values.dtype.is_float() else values).drop_nulls()
    counts = {"Feature": column.name, "Count": frame.height}
    missing = {"Missing Value Count": frame.height - len(values)}
    if column.type not in _MEASURED or not len(values):
        return {**counts, "Unique Value Count": values.n_unique(), **missing}
    # Sorted once: extremes and percentiles are then looked up, and equal values are neighbours.
    ordered = values.cast(pl.Float64).sort().alias("x")
    # Whole numbers that are one as floats are different all the same.
    runs = (values.sort() if _is_long(values) else ordered).rle().struct.unnest()
    x = named("x")
    figures = {
        "Min": x.min(),
        "Max": x.max(),
        "Mean": x.mean(),
        "Mean Deviation": (x - x.mean()).abs().mean(),
        "Range": x.max() - x.min(),
        "Sample Variance": x.var(ddof=1),
        "Sample Standard Deviation": x.std(ddof=1),
        "Sample Skewness": x.skew(bias=False),
        "Sample Kurtosis": x.kurtosis(fisher=True, bias=False),
        **{n: x.quantile(share, interpolation="linear") for n, share in _PERCENTILES.items()},
    }
    told = ordered.to_frame().select(figure.alias(name) for name, figure in figures.items())
    return {
        **counts,
        "Unique Value Count": runs.height,
        **missing,
        "Mode": runs.filter(pl.col("len") == pl.col("len").max())["value"].cast(pl.Float64).min(),
        **told.with_columns(pl.all().fill_nan(None)).row(0, named=True),
    }


def _is_long(values: pl.Series) -> bool:
    """Whether there are whole numbers that no float tells apart."""
    if not values.dtype.is_integer():
        return False
    low, high = values.min(), values.max()
    return max(-int(low), int(high)) > _EXACT  # type: ignore[arg-type]  # there are values


def _described_in_parts(frame: pl.DataFrame, column: Column) -> dict[str, object]:
    """As `_described`, without a copy of the column."""
    values = frame.get_column(column.name)
    measured = column.type in _MEASURED
    missing = values.null_count()
    if measured:
        missing = frame.height - large_columns.count(values)
    if frame.height - missing < _FEW:
        few = values.fill_nan(None) if values.dtype.is_float() else values
        told = _described(few.drop_nulls().to_frame(), column)
        return {**told, "Count": frame.height, "Missing Value Count": missing}
    counts = {"Feature": column.name, "Count": frame.height, "Missing Value Count": missing}
    if not measured:
        return {**counts, "Unique Value Count": large_columns.different(values)}
    shares, given = [*_PERCENTILES.values()], frame.height - missing
    told_by = large_columns.occurrences(values, around(given, shares))
    low, high = large_columns.smallest(values), large_columns.largest(values)
    figures = {
        "Min": low,
        "Max": high,
        "Mode": told_by.mode,
        "Range": (high or 0.0) - (low or 0.0),
        **_moments(values, given),
        **dict(zip(_PERCENTILES, between(given, shares, told_by.places), strict=True)),
    }
    finite = {n: None if v is None or math.isnan(v) else v for n, v in figures.items()}
    return {**counts, "Unique Value Count": told_by.different, **finite}


def _moments(values: pl.Series, count: int) -> dict[str, float | None]:
    """What is told by sums over the distances from the mean."""
    mean = large_columns.mean(values)
    assert mean is not None  # noqa: S101  # there are values

    def of(change: Callable[[Vector], Vector]) -> float:
        found = large_columns.mean_of(values, lambda numbers: change(numbers - mean))
        return math.nan if found is None else found

    # Products, as powers take ten times as long.
    second = of(lambda far: far * far)
    skewness = kurtosis = math.nan
    if second > 0 and math.isfinite(second):
        skewness = (
            of(lambda far: far * far * far)
            / second**1.5
            * math.sqrt(count * (count - 1))
            / (count - 2)
        )
        excess = of(lambda far: (far * far) ** 2) / second**2 - 3
        kurtosis = (count - 1) / ((count - 2) * (count - 3)) * ((count + 1) * excess + 6)
    variance = second * count / (count - 1)
    return {
        "Mean": mean,
        "Mean Deviation": of(abs),
        "Sample Variance": variance,
        "Sample Standard Deviation": math.sqrt(variance),
        "Sample Skewness": skewness,
        "Sample Kurtosis": kurtosis,
    }
