"""Quantiles of a column."""

from __future__ import annotations

import math
from collections.abc import Sequence

import polars as pl

# For more quantiles than that of one column, sorting it once is quicker than looking for each.
_FEW = 24
# Looking for a quantile copies the column; of so many values one sorted copy is enough.
_MANY = 1 << 22


def quantiles(
    column: pl.Series, shares: Sequence[float], *, large: bool = False
) -> list[float | None]:
    """The values below which shares of the numbers lie, interpolated between neighbouring ones.

    Null does not count, not a number neither; None where a column holds nothing else.
    large: no copy of the column is made, as there may be no room for it; the values are the same.
    """
    if large:
        return _read_in_parts(column, shares)
    # Among nulls Polars sorts for every quantile; without them it need not.
    numbers = column.cast(pl.Float64).fill_nan(None).drop_nulls().rechunk().alias("n")
    if len(shares) > _FEW or len(numbers) > _MANY:
        numbers = numbers.sort()
        return [numbers.quantile(share, interpolation="linear") for share in shares]
    n = pl.col("n")
    wanted = (
        n.quantile(share, interpolation="linear").alias(str(at)) for at, share in enumerate(shares)
    )
    return list(numbers.to_frame().select(wanted).row(0))


def _read_in_parts(column: pl.Series, shares: Sequence[float]) -> list[float | None]:
    from modelwright.data.large_columns import at_places, count

    numbers = count(column)
    if not numbers:
        return [None] * len(shares)
    places = around(numbers, shares)
    return [*between(numbers, shares, at_places(column, places))]


def around(count: int, shares: Sequence[float]) -> list[int]:
    """The places, from 0, of the sorted numbers that quantiles lie between, two for each."""
    return [end for share in shares for end in _ends((count - 1) * share)]


def between(count: int, shares: Sequence[float], numbers: Sequence[float]) -> list[float]:
    """The quantiles, from the numbers at the places that `around` gives."""
    found = []
    for share, low, high in zip(shares, numbers[::2], numbers[1::2], strict=True):
        exact = (count - 1) * share
        found.append(low if low == high else low + (high - low) * (exact - math.floor(exact)))
    return found


def _ends(exact: float) -> tuple[int, int]:
    return math.floor(exact), math.ceil(exact)
