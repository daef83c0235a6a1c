"""Keys as small whole numbers, so that rows are found by looking up instead of hashing.

Each function gives None where keys are too many or too far apart for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from modelwright.data.few_values import numbered

Vector = np.ndarray[Any, np.dtype[Any]]

# Room for so many keys is made at any rate, and for so many for each row.
_ROOM, _ROOM_A_ROW = 1 << 16, 4
_FEW = 1024
# Distances below it stay apart in 32 bits, those to lower numbers too.
_WITHIN = 1 << 31


def first_of_each(keys: Sequence[pl.Series], *, last: bool = False) -> pl.Series | None:
    """True for the first row with each key, or the last; the columns hold no nulls."""
    found = _numbers(keys)
    if found is None:
        return None
    numbers, size = found
    rows = np.arange(len(numbers), dtype=np.int32)
    # Of values for the same place the last one stays.
    row_of = np.empty(size, dtype=np.int32)
    if last:
        row_of[numbers] = rows
    else:
        row_of[numbers[::-1]] = rows[::-1]
    return pl.Series(row_of[numbers] == rows)


@dataclass(frozen=True)
class Lookup:
    """Where whole numbers on the left are found on the right, each of which is there once.

    places: for each left row the distance of its number from the lowest on the right; those that lie
    outside or are missing share the last place.  row_at: the right row for each place, -1 without one.
    """

    places: Vector
    row_at: Vector

    def matched(self) -> pl.Series | None:
        """True for each left row that has a right one; None where all have."""
        found = (self.row_at >= 0)[self.places]
        return None if found.all() else pl.Series(found)

    def of(self, rows: pl.Series) -> Lookup:
        """The same for the left rows for which `rows` is true."""
        return Lookup(pl.Series(self.places).filter(rows).to_numpy(), self.row_at)

    def beside(self, right: pl.DataFrame) -> pl.DataFrame:
        """The right row for each left one, null without one."""
        spread, asked = right, pl.Series(self.row_at[:0])
        if len(self.row_at) <= len(self.places):
            # Few right rows are laid out by place, so that each left row looks once.
            spread, asked = right[_index(self.row_at)], pl.Series(self.places)
        else:
            asked = _index(self.row_at[self.places])
        return spread[asked]

    def left_over(self, count: int) -> pl.Series:
        """True for each of so many right rows that no left row has found."""
        met = np.zeros(len(self.row_at), dtype=bool)
        met[self.places] = True
        found = self.row_at[met]
        rest = np.ones(count, dtype=bool)
        rest[found[found >= 0]] = False
        return pl.Series(rest)


def lookup(left: pl.Series, right: pl.Series) -> Lookup | None:
    """How whole numbers on the left find theirs on the right; a missing one finds nothing.

    None, too, where the right has one twice.
    """
    rows = np.arange(len(right), dtype=np.int32)
    if right.null_count():
        rows, right = rows[right.is_not_null().to_numpy()], right.drop_nulls()
    size = _size(right, len(left) + len(right))
    if size is None:
        return None
    low = int(right.min())  # type: ignore[arg-type]  # of whole numbers, and there are some
    values = right.to_numpy() - low
    # The last place is for all that lies outside.
    row_at = np.full(size + 1, -1, dtype=np.int32)
    row_at[values] = rows
    if not np.array_equal(row_at[values], rows):
        return None
    asked = (left.fill_null(low) if left.null_count() else left).to_numpy()
    # Numbers below the lowest become very large ones.
    places = np.subtract(asked, np.array(low), dtype=np.uint32, casting="unsafe")
    if len(left) and max(int(asked.max()) - low, low - int(asked.min())) >= _WITHIN:
        places[(asked < low) | (asked >= low + size)] = size
    np.minimum(places, size, out=places)
    if left.null_count():
        places[left.is_null().to_numpy()] = size
    return Lookup(places, row_at)


def _index(rows: Vector) -> pl.Series:
    """Row numbers to gather by, null for -1."""
    index = pl.Series(rows.view(np.uint32))
    lost = rows < 0
    return index.set(pl.Series(lost), None) if lost.any() else index


def _numbers(keys: Sequence[pl.Series]) -> tuple[Vector, int] | None:
    """One whole number from 0 for each row, equal where all keys are, and how many there can be."""
    rows = len(keys[0])
    total: Vector | None = None
    room = 1
    for column in keys:
        if column.dtype in (pl.String, pl.Boolean):
            few = numbered(column, most=_FEW)
            size, own = (len(few.values), few.numbers) if few else (None, None)
        else:
            size, own = _size(column, rows), None
        if size is None or room * size > max(_ROOM, min(_ROOM_A_ROW * rows, 1 << 30)):
            return None
        if own is None:
            low = np.array(column.min(), dtype=np.int64)
            # What overflows on the way is right again in the end, as all of it fits into 32 bits.
            own = np.subtract(column.to_numpy(), low, dtype=np.int32, casting="unsafe")
        if total is None:
            total = own.astype(np.int32, copy=False)
        else:
            total *= size
            total += own
        room *= size
    return None if total is None else (total, room)


def _size(key: pl.Series, rows: int) -> int | None:
    """How many whole numbers lie between the smallest and the largest, or None for too many."""
    if not key.dtype.is_integer() or not len(key) or rows >= 1 << 31:
        return None
    low, high = key.min(), key.max()
    if not isinstance(low, int) or not isinstance(high, int):
        return None
    size = high - low + 1
    return size if size <= max(_ROOM, min(_ROOM_A_ROW * rows, 1 << 30)) else None
