"""Columns of few different values: what is asked of each value is asked once, and rows go by its number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from modelwright.data.side_by_side import side_by_side

Vector = np.ndarray[Any, np.dtype[Any]]

# Rows that are looked at to see whether there are few values, and those that are numbered together.
_SAMPLE, _PART = 4096, 1 << 17
# How often values are numbered anew because one more was met.
_TRIES = 8
# Of so many texts hashes would hardly be told apart.
_TEXTS = 2048
# Room for so many bits of a hash, by which few values are told apart.
_BITS = 20


@dataclass(frozen=True)
class Numbered:
    """A column as numbers from 0, and the values that they stand for.

    values: in rising order, a missing one first; some may be of no row.  numbers: one for each row.
    """

    values: pl.Series
    numbers: Vector

    def by_row(self, answers: pl.Series) -> pl.Series:
        """What was found for each value, for each row."""
        if not answers.null_count() and answers.dtype in (pl.Boolean, pl.Float64, pl.Int64):
            return pl.Series(answers.name, answers.to_numpy()[self.numbers])
        return answers.gather(pl.Series(self.numbers.astype(np.uint32)))


def numbered(column: pl.Series, *, most: int) -> Numbered | None:
    """A column of text, whole numbers or true and false by numbers; None for more values than `most`.

    Text is told apart by its hash, of 64 bits.  None, too, for other columns.
    """
    if not len(column):
        return None
    if column.dtype.is_integer() and not column.null_count():
        return _from_lowest(column, most)
    if column.dtype not in (pl.String, pl.Boolean):
        return None
    most = min(most, _TEXTS)
    values = column.gather_every(max(1, len(column) // _SAMPLE)).unique()
    for _ in range(_TRIES):
        if len(values) > most:
            return None
        values = values.sort()
        found = _looked_up(column, values)
        if isinstance(found, np.ndarray):
            return Numbered(values, found)
        if found is None:
            return None
        values = pl.concat([values, found])
    return None


def _from_lowest(column: pl.Series, most: int) -> Numbered | None:
    """Whole numbers by their distance from the lowest."""
    low, high = column.min(), column.max()
    if not isinstance(low, int) or not isinstance(high, int) or high - low >= most:
        return None
    values = pl.int_range(low, high + 1, dtype=pl.Int64, eager=True).cast(column.dtype)
    dtype = np.min_scalar_type(high - low)
    # What overflows on the way is right again in the end.
    lowest = np.array(low).astype(column.to_numpy().dtype)
    numbers = np.subtract(column.to_numpy(), lowest, dtype=dtype, casting="unsafe")
    return Numbered(values.alias(column.name), numbers)


def _looked_up(column: pl.Series, values: pl.Series) -> Vector | pl.Series | None:
    """The number of each row's value; values that are not among these, or None if hashes do not tell."""
    hashes = values.hash(0).to_numpy()
    bits = min(_BITS, max(8, 2 * len(values).bit_length()))
    mask = np.uint64((1 << bits) - 1)
    for shift in range(0, 65 - bits, 2):
        places = (hashes >> np.uint64(shift)) & mask
        if len(np.unique(places)) == len(places):
            break
    else:
        return None
    number_at = np.zeros(1 << bits, dtype=np.min_scalar_type(len(values)))
    number_at[places] = np.arange(len(values))
    # Where no value is, a hash stands that belongs to another place, so that none is taken for it.
    hash_at = hashes[number_at]
    numbers = np.empty(len(column), dtype=number_at.dtype)

    def look_up(at: int) -> pl.Series | None:
        rows = column.slice(at, _PART)
        own = rows.hash(0).to_numpy()
        asked = np.bitwise_and(own >> np.uint64(shift) if shift else own, mask).view(np.int64)
        # All places are there; told to clip, NumPy does not look first.
        np.take(number_at, asked, out=numbers[at : at + _PART], mode="clip")
        strange = np.take(hash_at, asked, mode="clip") != own
        return rows.filter(pl.Series(strange)).unique() if strange.any() else None

    parts = side_by_side(look_up, range(0, len(column), _PART), values=len(column))
    met = [part for part in parts if part is not None]
    return pl.concat(met).unique() if met else numbers
