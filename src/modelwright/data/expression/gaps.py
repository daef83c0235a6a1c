"""Columns of doubles as arrays, whatever lies beneath a missing one; and their gaps filled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from modelwright.data.expression.functions.form import Vector

# Rows in a byte of a mask.
_BITS = 8


def beneath(column: pl.Series) -> Vector:
    """A column of doubles as an array without a copy, if it is in one piece; anything where it is null."""
    return _parts(column)[0]


def filled(column: pl.Series, value: float) -> pl.Series:
    """The doubles of a column, and the value where one is null or not a number."""
    found = column.fill_null(value) if column.null_count() else column
    # The largest of several values is not a number if one of them is not, which is told in one pass.
    if len(found) and np.isnan(beneath(found).max()):
        found = found.fill_nan(value)
    return found


def _parts(column: pl.Series) -> tuple[Vector, Vector | None]:
    """The numbers beneath, and eight rows a byte of a mask that tells which are there; None if all are."""
    whole = column.rechunk()
    if not whole.null_count():
        return whole.to_numpy(), None
    array = whole.to_arrow()
    mask, numbers = array.buffers()
    values: Vector = np.frombuffer(numbers, np.float64, array.offset + len(array))
    valid: Vector = np.frombuffer(mask, np.uint8)
    if array.offset % _BITS:
        flags = np.unpackbits(valid, bitorder="little", count=array.offset + len(array))
        valid = np.packbits(flags[array.offset :], bitorder="little")
    else:
        valid = valid[array.offset // _BITS :]
    return values[array.offset :], valid
