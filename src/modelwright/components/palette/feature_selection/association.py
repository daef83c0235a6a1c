"""How closely two columns go together.

A pair is a frame with the columns x and y, without missing values.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import polars as pl

_BINS = 10


def pearson_correlation(pair: pl.DataFrame, *, grouped: bool) -> float:
    """The size of the correlation, from 0 to 1; 0 where a side does not change.

    grouped: y only tells groups apart, and the mean of x within its group stands for it.
    """
    numbers = pair.with_columns(pl.col("x").cast(pl.Float64))
    if grouped:
        numbers = numbers.with_columns(pl.col("x").mean().over("y").alias("y"))
    found = numbers.select(pl.corr("x", pl.col("y").cast(pl.Float64))).item()
    if found is None or not math.isfinite(found):
        return 0.0
    return min(abs(float(found)), 1.0)


def chi_squared(pair: pl.DataFrame, *, binned: Sequence[str]) -> float:
    """The chi-squared statistic of the counts of pairs against those of independence.

    binned: numeric columns that are counted in bins when they have many different values.
    """
    rows = pair.height
    if not rows:
        return 0.0
    counted = pair.with_columns(_binned(pair.get_column(name)) for name in binned)
    # In one order, because sums of fractions depend on it.
    cells = counted.group_by("x", "y", maintain_order=True).len("n")
    statistic = cells.select(
        # The sum of (n - e)² / e over all cells, those with no pair too, is that of n² / e less the rows.
        (
            pl.col("n").cast(pl.Float64) ** 2
            * rows
            / pl.col("n").sum().over("x")
            / pl.col("n").sum().over("y")
        ).sum()
        - rows
    ).item()
    return max(float(statistic), 0.0)


def _binned(column: pl.Series) -> pl.Series:
    """The number of the bin of about as many rows; few different values stay as they are."""
    if column.n_unique() <= _BINS:
        return column
    ordered = column.cast(pl.Float64).sort()
    shares = [number / _BINS for number in range(1, _BINS)]
    quantiles = {ordered.quantile(s, interpolation="linear") for s in shares}
    edges = sorted(q for q in quantiles if q is not None and math.isfinite(q))
    numbers = pl.Series(edges, dtype=pl.Float64).search_sorted(column.cast(pl.Float64), side="left")
    return numbers.alias(column.name)
