"""Exact figures of columns that are larger than memory, which are read part by part.

Numbers have keys of 64 bits in their own order.  How many keys begin alike is counted first, so that
the keys of a range can be gathered and sorted by themselves, range after range.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from modelwright.data.memory import allowed

Vector = np.ndarray[Any, np.dtype[Any]]

_PART = 1 << 19
_STEP = 16
# Bytes that a gathered value may take on the way to its figure.
_ROOM_A_VALUE = 96
_LEAST, _MOST = 1 << 18, 1 << 26
_SIGN = np.uint64(1 << 63)


@dataclass(frozen=True)
class _Range:
    """Keys from `low` to `high`, both included, and how many there are."""

    low: int
    high: int
    count: int


def count(column: pl.Series) -> int:
    """How many numbers there are, without missing ones."""
    return sum(len(values) for values in _numbers(column))


def mean(column: pl.Series) -> float | None:
    """The mean of the numbers, None without any; true counts as 1."""
    return mean_of(column, lambda values: values)


def mean_of(column: pl.Series, change: Callable[[Vector], Vector]) -> float | None:
    """The mean of what `change` makes of the numbers, None without any."""
    sums, numbers = [], 0
    with np.errstate(all="ignore"):
        for values in _numbers(column):
            changed = change(values)
            sums.append(float(changed.sum()))
            numbers += len(changed)
    if not numbers:
        return None
    # Infinities of both signs have no exact sum.
    total = math.fsum(sums) if all(map(math.isfinite, sums)) else sum(sums)
    return total / numbers


def smallest(column: pl.Series) -> float | None:
    """The smallest number, None without any."""
    return min((float(values.min()) for values in _numbers(column) if len(values)), default=None)


def largest(column: pl.Series) -> float | None:
    """The largest number, None without any."""
    return max((float(values.max()) for values in _numbers(column) if len(values)), default=None)


def at_places(column: pl.Series, places: Sequence[int]) -> list[float]:
    """The numbers that would stand at these places, from 0, if the column were sorted."""
    found: dict[int, float] = {}
    first = 0
    for part in _ranges(column):
        wanted = [p - first for p in places if first <= p < first + part.count]
        if wanted and part.low == part.high:
            value = float(_values(np.array([part.low], dtype=np.uint64), whole=False)[0])
            found |= {first + p: value for p in wanted}
        elif wanted:
            keys = _gathered(column, part)
            keys.sort()
            values = _values(keys[wanted], whole=False)
            found |= {first + p: float(v) for p, v in zip(wanted, values, strict=True)}
        first += part.count
    return [found[p] for p in places]


@dataclass(frozen=True)
class Occurrences:
    """How often the numbers of a column occur.  places: the numbers at places of the sorted column."""

    different: int
    mode: float
    places: tuple[float, ...]


def occurrences(column: pl.Series, places: Sequence[int]) -> Occurrences:
    """What is known once all numbers, of which there is one at least, are sorted and counted."""
    different, most, mode, first = 0, 0, math.nan, 0
    found: dict[int, float] = {}
    for numbers, occur in _runs(column, whole=column.dtype.is_integer()):
        different += len(numbers)
        if len(numbers) and occur.max() > most:
            most, mode = int(occur.max()), float(numbers[occur.argmax()])
        ends = occur.cumsum()
        total = int(occur.sum())
        wanted = [p - first for p in places if first <= p < first + total]
        rows = np.searchsorted(ends, wanted, side="right")
        found |= {first + p: float(numbers[row]) for p, row in zip(wanted, rows, strict=True)}
        first += total
    return Occurrences(different, mode, tuple(found[p] for p in places))


def _runs(column: pl.Series, *, whole: bool = False) -> Iterator[tuple[Vector, Vector]]:
    """The different numbers, rising, and how often each occurs, in pieces.

    whole: as whole numbers of 64 bits, for columns of such; otherwise all as floats.
    """
    for part in _ranges(column, whole=whole):
        if part.low == part.high:
            keys, counts = np.array([part.low], dtype=np.uint64), np.array([part.count])
        else:
            keys, counts = _counted(_gathered(column, part, whole=whole))
        yield _values(keys, whole=whole), counts


def different(column: pl.Series) -> int:
    """How many different values there are, without missing ones; of any type."""
    return sum(len(found) for found in _hashed(column))


def mode(column: pl.Series) -> Any:
    """The most frequent value, the smallest of several; None where all are missing."""
    best: tuple[int, Any] | None = None
    if column.dtype == pl.String:
        for found in _hashed(column):
            most = found.filter(pl.col("count") == pl.col("count").max())
            if len(most):
                best = _better(best, int(most["count"][0]), most["value"].min())
        return None if best is None else best[1]
    whole = not column.dtype.is_float()
    for values, counts in _runs(column, whole=whole):
        if len(values):
            at = int(counts.argmax())
            best = _better(best, int(counts[at]), values[at])
    if best is None:
        return None
    plain = pl.Series([int(best[1])] if whole else [float(best[1])])
    return plain.cast(column.dtype)[0]


def _better(best: tuple[int, Any] | None, count: int, value: Any) -> tuple[int, Any]:
    if best is None or count > best[0] or (count == best[0] and value < best[1]):
        return count, value
    return best


def _hashed(column: pl.Series) -> Iterator[pl.DataFrame]:
    """The different values and their counts, as `value` and `count`, in pieces by their hashes."""
    pieces = max(1, math.ceil(len(column) / _room()))
    for piece in range(pieces):
        found: list[pl.Series] = []
        for part in _parts(column):
            values = part.fill_nan(None) if part.dtype.is_float() else part
            values = values.drop_nulls().alias("value")
            found.append(values.filter(values.hash(0) % pieces == piece))
        if found:
            yield pl.concat(found).value_counts()


def _room() -> int:
    """How many values are gathered at a time."""
    return max(_LEAST, min(_MOST, allowed() // _ROOM_A_VALUE))


def _parts(column: pl.Series) -> Iterator[pl.Series]:
    for at in range(0, len(column), _PART):
        yield column.slice(at, _PART)


def _numbers(column: pl.Series) -> Iterator[Vector]:
    """The numbers of each part as floats, without missing ones."""
    for part in _parts(column):
        values = part.drop_nulls().cast(pl.Float64).to_numpy()
        lacking = np.isnan(values)
        yield values[~lacking] if lacking.any() else values


def _keys(column: pl.Series, *, whole: bool) -> Iterator[Vector]:
    """Numbers in the order of the values, as 64 bits without a sign."""
    if whole:
        for part in _parts(column):
            numbers = part.drop_nulls().to_physical().cast(pl.Int64).to_numpy()
            yield numbers.view(np.uint64) ^ _SIGN
        return
    for values in _numbers(column):
        # There is only one zero.
        bits = (values + 0.0).view(np.uint64)
        yield np.where(bits & _SIGN, ~bits, bits | _SIGN)


def _values(keys: Vector, *, whole: bool) -> Vector:
    if whole:
        return (keys ^ _SIGN).view(np.int64)
    return np.where(keys & _SIGN, keys ^ _SIGN, ~keys).view(np.float64)


def _gathered(column: pl.Series, part: _Range, *, whole: bool = False) -> Vector:
    low, high = np.uint64(part.low), np.uint64(part.high)
    found, filled = np.empty(part.count, dtype=np.uint64), 0
    for keys in _keys(column, whole=whole):
        own = keys[(keys >= low) & (keys <= high)]
        found[filled : filled + len(own)] = own
        filled += len(own)
    return found[:filled]


def _counted(keys: Vector) -> tuple[Vector, Vector]:
    """The different keys, rising, and how often each occurs; the keys are sorted in their place."""
    keys.sort()
    first = np.empty(len(keys), dtype=bool)
    first[:1] = True
    np.not_equal(keys[1:], keys[:-1], out=first[1:])
    starts = np.flatnonzero(first)
    return keys[starts], np.diff(starts, append=len(keys))


def _ranges(column: pl.Series, *, whole: bool = False) -> list[_Range]:
    """Ranges of keys, rising, that hold all: each small enough to be gathered, or of one key."""
    room = _room()
    done: list[_Range] = []
    heavy = [_Range(0, (1 << 64) - 1, len(column))]
    if len(column) <= room:
        return heavy
    for shift in range(64 - _STEP, -1, -_STEP):
        if not heavy:
            break
        counts = [np.zeros(1 << _STEP, dtype=np.int64) for _ in heavy]
        for keys in _keys(column, whole=whole):
            beginnings = keys >> np.uint64(shift)
            for own, total in zip(heavy, counts, strict=True):
                base = own.low >> shift
                within = beginnings - np.uint64(base)
                # What lies below has become very large.
                total += np.bincount(
                    within[within < (1 << _STEP)].astype(np.int64), minlength=1 << _STEP
                )
        found = [
            _Range(
                own.low + (int(n) << shift), own.low + ((int(n) + 1) << shift) - 1, int(total[n])
            )
            for own, total in zip(heavy, counts, strict=True)
            for n in np.flatnonzero(total)
        ]
        heavy = [one for one in found if one.count > room and shift]
        done += [one for one in found if one.count <= room or not shift]
    return _joined(sorted(done, key=lambda one: one.low), room)


def _joined(ranges: Sequence[_Range], room: int) -> list[_Range]:
    """Neighbours as one, as long as there is room."""
    found: list[_Range] = []
    for one in ranges:
        if found and found[-1].count + one.count <= room:
            found[-1] = _Range(found[-1].low, one.high, found[-1].count + one.count)
        else:
            found.append(one)
    return found
