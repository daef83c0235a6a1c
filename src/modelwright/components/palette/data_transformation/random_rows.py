"""Choosing rows by chance: a given seed gives the same rows on every machine.

Of many rows the chosen ones are marked at random places, again for those that were marked already, until
there are as many as wanted: no set of rows is likelier than another, and no row is moved.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from modelwright.data.few_values import numbered

Vector = np.ndarray[Any, np.dtype[Any]]

_MANY = 1 << 21
# Fewer rows are shuffled, which takes milliseconds.
_SHUFFLED = 1 << 19
# Of so many rows at a time what chooses them is made, so that a long table needs little memory.
_PART = 1 << 20
# Each of so many values is drawn from by itself.
_STRATA, _LOOKED_FOR = 1024, 16


def share(count: int, fraction: float) -> int:
    """How many of `count` a fraction is: rounded to the nearest, a half up."""
    # 0.1 + 0.2 and its like must not turn 30.000000000000004 halves into other counts.
    return min(count, int(np.floor(round(count * fraction, 9) + 0.5)))


def draw(count: int, taken: int, *, seed: int | None) -> pl.Series:
    """True for `taken` of `count` rows: by chance, or the first ones when there is no seed."""
    if seed is not None and count > _SHUFFLED:
        return pl.Series(_marked(count, taken, np.random.default_rng(seed)))
    chosen = np.zeros(count, dtype=bool)
    if seed is None:
        chosen[:taken] = True
    else:
        chosen[_shuffled(count, seed)[:taken]] = True
    return pl.Series(chosen)


def draw_stratified(key: pl.Series, fraction: float, *, seed: int | None) -> pl.Series:
    """True for a fraction of the rows of each value of `key`; a missing value is one of them.

    Each value gives its share rounded down; the rows that then lack to the share of the whole are
    taken from the values that were rounded down most.  Without a seed the first rows are taken.
    """
    count = len(key)
    numbers = _strata(key)
    lengths = np.bincount(numbers)
    exact = lengths * fraction
    quota = np.floor(np.round(exact, 9)).astype(np.int64)
    lacking = share(count, fraction) - int(quota.sum())
    quota[np.argsort(quota - exact, kind="stable")[: max(lacking, 0)]] += 1
    if seed is not None and count > _SHUFFLED and len(quota) <= _STRATA:
        chance = np.random.default_rng(seed)
        sizes = zip(lengths.tolist(), quota.tolist(), strict=True)
        return pl.Series(_in_place([_marked(*size, chance) for size in sizes], numbers))
    rows = None if seed is None else _inverse(_shuffled(count, seed))
    chosen = np.zeros(count, dtype=bool)
    taken = np.zeros_like(quota)
    for at in range(0, count, _PART):
        part = np.arange(at, min(at + _PART, count)) if rows is None else rows[at : at + _PART]
        own = numbers[part]
        # The rows of each value after those of the one before, in their turn.
        by_value = np.argsort(own, kind="stable")
        lengths = np.bincount(own, minlength=len(quota))
        place = np.arange(len(own)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        chosen[part[by_value[place < np.repeat(quota - taken, lengths)]]] = True
        taken += lengths
    return pl.Series(chosen)


def deal(
    count: int,
    shares: Sequence[float],
    *,
    key: pl.Series | None,
    seed: int | None,
    in_turn: bool,
) -> Vector:
    """The number, from 0, of the part that each row goes to; `shares` add up to 1.

    key: each of its values is dealt by itself.  seed: None deals the rows in their order.
    in_turn: one row to each part after the other, for parts of equal size; otherwise rows that follow
    each other go to one part.
    """
    bounds = np.cumsum(shares[:-1])
    numbers = None if key is None else _strata(key)
    lengths = np.array([count]) if numbers is None else np.bincount(numbers)
    if seed is not None and count > _SHUFFLED and len(lengths) <= _STRATA:
        chance = np.random.default_rng(seed)
        starts = np.cumsum(lengths) - lengths
        dealt = [
            _dealt(_sizes(length, bounds, start if in_turn else None), bounds, chance)
            for length, start in zip(lengths.tolist(), starts.tolist(), strict=True)
        ]
        return dealt[0] if numbers is None else _in_place(dealt, numbers)
    order = np.arange(count) if seed is None else _shuffled(count, seed)
    parts = np.empty(count, dtype=np.min_scalar_type(len(shares)))
    if numbers is not None:
        # One value after the other, so that a part that begins with one does not begin with all.
        order = order[np.argsort(numbers[order], kind="stable")]
    if in_turn:
        parts[order] = np.arange(count) % len(shares)
    else:
        of_value = np.arange(count) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        places = (of_value + 0.5) / np.repeat(lengths, lengths)
        parts[order] = np.searchsorted(bounds, places, side="right")
    return parts


def _marked(count: int, taken: int, chance: np.random.Generator) -> Vector:
    """True at `taken` of so many places."""
    fewer = min(taken, count - taken)
    marks = np.zeros(count, dtype=bool)
    lacking = fewer
    while lacking:
        marks[chance.integers(0, count, min(lacking, _PART))] = True
        lacking = fewer - int(np.count_nonzero(marks))
    return marks if fewer == taken else ~marks


def _in_place(by_number: Sequence[Vector], numbers: Vector) -> Vector:
    """What the rows of each number have, in their order, in the order of all rows."""
    found = np.empty(len(numbers), dtype=by_number[0].dtype)
    done = np.zeros(len(by_number), dtype=np.int64)
    for at in range(0, len(numbers), _PART):
        own = numbers[at : at + _PART]
        if len(by_number) <= _LOOKED_FOR:
            rows = np.concatenate([np.flatnonzero(own == n) for n in range(len(by_number))])
        else:
            rows = np.argsort(own, kind="stable")
        until = done + np.bincount(own, minlength=len(by_number))
        pieces = zip(by_number, done.tolist(), until.tolist(), strict=True)
        found[at + rows] = np.concatenate([one[first:last] for one, first, last in pieces])
        done = until
    return found


def _sizes(count: int, bounds: Vector, start: int | None) -> Vector:
    """How many rows each part gets; `start` is where one to each in turn begins, None for shares."""
    if start is None:
        ends = np.ceil(bounds * count - 0.5).astype(np.int64)
        return np.diff(ends, prepend=0, append=count)
    parts = len(bounds) + 1
    over = (start + np.arange(count % parts)) % parts
    return count // parts + np.bincount(over, minlength=parts)


def _dealt(sizes: Vector, bounds: Vector, chance: np.random.Generator) -> Vector:
    """The part of each row: each by itself first, then those of which a part has too many anew."""
    count = int(sizes.sum())
    evenly = int(sizes.max()) - int(sizes.min()) <= 1
    parts = np.empty(count, dtype=np.min_scalar_type(len(sizes)))
    for at in range(0, count, _PART):
        here = parts[at : at + _PART]
        if evenly:
            here[:] = chance.integers(0, len(sizes), len(here), dtype=parts.dtype)
        else:
            here[:] = np.searchsorted(bounds, chance.random(len(here)), side="right")
    there = _counts(parts, len(sizes))
    lacking = sizes - there
    spare = [
        _some_of(parts, int(part), int(there[part]), int(there[part] - sizes[part]), chance)
        for part in np.flatnonzero(lacking < 0)
    ]
    if spare:
        again = np.concatenate(spare)
        chance.shuffle(again)
        parts[again] = np.repeat(np.arange(len(sizes)), np.maximum(lacking, 0))
    return parts


def _some_of(
    parts: Vector, part: int, size: int, taken: int, chance: np.random.Generator
) -> Vector:
    """So many of the `size` rows of a part: few are looked for at random places, not among all."""
    places = taken * len(parts) // size
    if places > len(parts) // 8:
        rows = np.flatnonzero(parts == part)
        return rows[_marked(size, taken, chance)]
    found = np.empty(0, dtype=np.int64)
    while len(found) < taken:
        met = chance.integers(0, len(parts), places + 16)
        found = np.concatenate([found, met[parts[met] == part]])
        # Each once, in the order in which they were met, so that none is likelier than another.
        _, first = np.unique(found, return_index=True)
        found = found[np.sort(first)]
    return found[:taken]


def _counts(parts: Vector, count: int) -> Vector:
    """How many rows each part has; NumPy would turn small numbers into large ones first."""
    if count > _LOOKED_FOR:
        return np.bincount(parts, minlength=count)
    return np.array([np.count_nonzero(parts == part) for part in range(count)], dtype=np.int64)


def _strata(key: pl.Series) -> Vector:
    """A number from 0 for each value, by row; a missing value has one."""
    few = numbered(key, most=_STRATA) if len(key) > _SHUFFLED else None
    if few is not None:
        return few.numbers
    values = _nan_is_missing(key.unique(maintain_order=True)).unique(maintain_order=True)
    # NumPy sorts numbers of 16 bits in a pass or two.
    found = np.empty(len(key), dtype=np.uint16 if len(values) < 1 << 16 else np.uint32)
    if len(values):
        wanted = pl.int_range(len(values), dtype=pl.UInt32, eager=True)
        for at in range(0, len(key), _PART):
            part = _nan_is_missing(key.slice(at, _PART))
            numbers = part.replace_strict(values, wanted, return_dtype=pl.UInt32)
            found[at : at + _PART] = numbers.to_numpy()
    return found


def _shuffled(count: int, seed: int) -> np.ndarray[Any, np.dtype[Any]]:
    """The numbers below `count` in an order by chance."""
    # The order is the same; large ones take half of the memory.
    numbers = np.arange(count, dtype=np.int64 if count < _MANY or count >= 1 << 31 else np.int32)
    np.random.default_rng(seed).shuffle(numbers)
    return numbers


def _inverse(order: np.ndarray[Any, np.dtype[Any]]) -> np.ndarray[Any, np.dtype[Any]]:
    """The place of each number in an order of them."""
    place = np.empty_like(order)
    for at in range(0, len(order), _PART):
        part = order[at : at + _PART]
        place[part] = np.arange(at, at + len(part), dtype=order.dtype)
    return place


def _nan_is_missing(key: pl.Series) -> pl.Series:
    return key.fill_nan(None) if key.dtype.is_float() else key
