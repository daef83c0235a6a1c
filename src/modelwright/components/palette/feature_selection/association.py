"""How closely two columns go together, from the rows in which neither is missing.

A table larger than memory gives the same, and is read part by part.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from modelwright.components.palette.data_transformation.quantiles import quantiles
from modelwright.data.expression.kernels import buckets
from modelwright.data.memory import in_parts

_BINS = 10
# Rows that are looked at at first to see that there are more than a few values, and then at a time.
_HEAD, _PART = 4096, 1 << 18


def pearson_correlation(x: pl.Series, y: pl.Series) -> float:
    """The size of the correlation, from 0 to 1; 0 where a side does not change."""
    pair = in_parts(pl.DataFrame({"x": x, "y": y}), _as_doubles)
    found = pair.select(pl.corr("x", "y")).item()
    if found is None or not math.isfinite(found):
        return 0.0
    return min(abs(float(found)), 1.0)


def correlation_with_groups(x: pl.Series, groups: pl.Series) -> float:
    """The correlation of numbers with the means of their groups, from 0 to 1."""
    n, x_of, mean, within = (pl.col(name) for name in ("n", "x", "mean", "within"))
    told = [
        rows.group_by("y", maintain_order=True).agg(
            pl.len().cast(pl.Float64).alias("n"),
            x_of.mean().alias("mean"),
            (x_of - x_of.mean()).pow(2).sum().alias("within"),
        )
        for rows in _pairs(x.cast(pl.Float64), groups)
    ]
    overall = (n * mean).sum() / n.sum()
    between = (n * (mean - overall).pow(2)).sum()
    by_group = (
        pl.concat(told)
        .group_by("y", maintain_order=True)
        .agg(n.sum(), overall.alias("mean"), (within.sum() + between).alias("within"))
    )
    explained, rest = by_group.select(between.alias("between"), within.sum()).row(0)
    total = explained + rest
    return min(math.sqrt(explained / total), 1.0) if math.isfinite(total) and total > 0 else 0.0


def chi_squared(
    x: pl.Series, y: pl.Series, *, count_x: bool, count_y: bool, large: bool = False
) -> float:
    """The chi-squared statistic of the counts of pairs against those of independence.

    count_x, count_y: whether the values are quantities, which are counted in bins when they have many.
    large: no copy of a column is made.
    """
    edges = {
        "x": _edges(x, y, large=large) if count_x else None,
        "y": _edges(y, x, large=large) if count_y else None,
    }
    told = [
        # In one order, because sums of fractions depend on it.
        _placed(rows, edges).group_by("x", "y", maintain_order=True).len("n")
        for rows in _pairs(x, y)
    ]
    n = pl.col("n").cast(pl.Float64)
    cells = pl.concat(told).group_by("x", "y", maintain_order=True).agg(n.sum())
    rows = cells["n"].sum()
    if not rows:
        return 0.0
    # The sum of (n - e)² / e over all cells, those with no pair too, is that of n² / e less the rows.
    shares = n**2 * rows / n.sum().over("x") / n.sum().over("y")
    return max(float(cells.select(shares.sum() - rows).item()), 0.0)


def _placed(rows: pl.DataFrame, edges: Mapping[str, Sequence[float] | None]) -> pl.DataFrame:
    """The rows with the numbers of bins in place of what is counted in bins."""
    return rows.with_columns(
        buckets(rows[name].cast(pl.Float64), inner, "right", None).alias(name)
        for name, inner in edges.items()
        if inner is not None
    )


def _pairs(x: pl.Series, y: pl.Series) -> Iterator[pl.DataFrame]:
    """The rows with both values, part by part; at least one part."""
    frame = pl.DataFrame({"x": x, "y": y})
    floats = [pl.col(n).fill_nan(None) for n, dtype in frame.schema.items() if dtype.is_float()]
    for at in range(0, max(frame.height, 1), _PART):
        yield frame.slice(at, _PART).with_columns(floats).drop_nulls()


def _edges(column: pl.Series, other: pl.Series, *, large: bool) -> list[float] | None:
    """Where the bins of a column end, by the rows that have both; None for few different values."""
    lacking = other.is_null() | other.is_nan() if other.dtype.is_float() else other.is_null()
    if lacking.any():
        pair = pl.DataFrame({"column": column, "there": ~lacking})
        column = in_parts(pair, lambda rows: rows.filter(pl.col("there")).select("column"))[
            "column"
        ]
    if _has_few(column):
        return None
    shares = [number / _BINS for number in range(1, _BINS)]
    found = set(quantiles(column, shares, large=large))
    return sorted(q for q in found if q is not None and math.isfinite(q))


def _has_few(column: pl.Series) -> bool:
    """Whether a column has at most as many different values as there would be bins."""
    values = column.clear()
    for at in (0, *range(_HEAD, len(column), _PART)):
        rows = column.slice(at, _PART if at else _HEAD)
        plain = rows.fill_nan(None) if rows.dtype.is_float() else rows
        values = pl.concat([values, plain.drop_nulls()]).unique()
        if len(values) > _BINS:
            return False
    return True


def _as_doubles(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with null for not a number."""
    numbers = [column.cast(pl.Float64) for column in rows.get_columns()]
    return pl.DataFrame([n.fill_nan(None) if n.is_nan().any() else n for n in numbers])
