"""Keys as small whole numbers, so that rows are found by looking up instead of hashing.

Each function gives None where keys are too many or too far apart for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from modelwright.data.few_values import numbered

Vector = np.ndarray[Any, np.dtype[Any]]

# Room for so many keys is made at any rate, and for so many for each row.
_ROOM, _ROOM_A_ROW = 1 << 16, 4
_FEW = 1024


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


def row_in(left: pl.Series, right: pl.Series) -> pl.Series | None:
    """For each whole number on the left its row on the right, null without one.

    None, too, where the right has one twice.
    """
    there = right.drop_nulls() if right.null_count() else right
    size = _size(there, len(left) + len(right))
    if size is None or len(there) != len(right):
        return None
    low = int(there.min())  # type: ignore[arg-type]  # of whole numbers, and there are some
    values = there.to_numpy()
    rows = np.arange(len(values), dtype=np.int32)
    # The last place is for all that lies outside.
    row_of = np.full(size + 1, -1, dtype=np.int32)
    row_of[values - low] = rows
    if not np.array_equal(row_of[values - low], rows):
        return None
    asked = (left.fill_null(low) if left.null_count() else left).to_numpy()
    if left.len() and (int(asked.min()) < low or int(asked.max()) >= low + size):
        # Compared before subtracting, which could leave the range of 64 bits.
        outside = (asked < low) | (asked >= low + size)
        places = np.where(outside, size, asked - low)
    else:
        places = asked - low
    found = row_of[places]
    lost = found < 0
    if left.null_count():
        lost |= left.is_null().to_numpy()
    index = pl.Series(found.view(np.uint32))
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
