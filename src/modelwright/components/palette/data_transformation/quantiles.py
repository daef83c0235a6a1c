"""Quantiles of a column."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import polars as pl

from modelwright.data.memory import is_large
from modelwright.data.ordered_places import at_places
from modelwright.data.side_by_side import side_by_side

# For more quantiles than that of one column, sorting it once is quicker than looking for each.
_FEW = 24
# So few numbers are looked at as they are.
_SMALL = 1 << 15


def quantiles_of(
    frame: pl.DataFrame, names: Sequence[str], shares: Sequence[float]
) -> Mapping[str, list[float | None]]:
    """What `quantiles` says of columns, of some at the same time."""

    def found(name: str) -> list[float | None]:
        return quantiles(frame.get_column(name), shares, large=large)

    large = is_large(frame)
    # So few numbers are looked at as they are, and large columns one after the other.
    if large or frame.height <= _SMALL:
        return {name: found(name) for name in names}
    values = frame.height * len(names)
    return dict(zip(names, side_by_side(found, names, values=values), strict=True))


def quantiles(
    column: pl.Series, shares: Sequence[float], *, large: bool = False
) -> list[float | None]:
    """The values below which shares of the numbers lie, interpolated between neighbouring ones.

    Null does not count, not a number neither; None where a column holds nothing else.
    large: no copy of the column is made, as there may be no room for it; the values are the same.
    """
    if large:
        return _read_in_parts(column, shares)
    numbers = column.cast(pl.Float64).rechunk().alias("n")
    if numbers.is_nan().any():
        numbers = numbers.drop_nans()
    count = len(numbers) - numbers.null_count()
    if count > _SMALL and len(shares) <= _FEW:
        # What is missing is neither below nor within, so that no copy without it is needed.
        return [*between(count, shares, at_places(numbers, around(count, shares)))]
    # Among nulls Polars sorts for every quantile; without them it need not.
    numbers = numbers.drop_nulls()
    if len(shares) > _FEW:
        numbers = numbers.sort()
    return [numbers.quantile(share, interpolation="linear") for share in shares]


def _read_in_parts(column: pl.Series, shares: Sequence[float]) -> list[float | None]:
    from modelwright.data import large_columns

    numbers = large_columns.count(column)
    if not numbers:
        return [None] * len(shares)
    places = around(numbers, shares)
    return [*between(numbers, shares, large_columns.at_places(column, places))]


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
