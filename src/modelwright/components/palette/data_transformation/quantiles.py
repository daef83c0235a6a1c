"""Quantiles of a column."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

# For more quantiles than that of one column, sorting it once is quicker than looking for each.
_FEW = 24
# Looking for a quantile copies the column; of so many values one sorted copy is enough.
_MANY = 1 << 22


def quantiles(column: pl.Series, shares: Sequence[float]) -> list[float | None]:
    """The values below which shares of the numbers lie, interpolated between neighbouring ones.

    Null does not count, not a number neither; None where a column holds nothing else.
    """
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
