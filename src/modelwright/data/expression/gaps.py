"""Columns of doubles as arrays, whatever lies beneath a missing one; and their gaps filled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from modelwright.data.expression.functions.form import Vector


def beneath(column: pl.Series) -> Vector:
    """A column of doubles as an array without a copy, if it is in one piece; anything where it is null."""
    whole = column.rechunk()
    if not whole.null_count():
        return whole.to_numpy()
    array = whole.to_arrow()
    _, numbers = array.buffers()
    values: Vector = np.frombuffer(numbers, np.float64, array.offset + len(array))
    return values[array.offset :]


def filled(column: pl.Series, value: float) -> pl.Series:
    """The doubles of a column, and the value where one is null or not a number."""
    found = column.fill_null(value) if column.null_count() else column
    # The largest of several values is not a number if one of them is not, which is told in one pass.
    if len(found) and np.isnan(beneath(found).max()):
        found = found.fill_nan(value)
    return found
