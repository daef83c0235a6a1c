"""Choosing rows by chance: a given seed gives the same rows on every machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

_MANY = 1 << 21
# Of so many rows at a time what chooses them is made, so that a long table needs little memory.
_PART = 1 << 20


def share(count: int, fraction: float) -> int:
    """How many of `count` a fraction is: rounded to the nearest, a half up."""
    # 0.1 + 0.2 and its like must not turn 30.000000000000004 halves into other counts.
    return min(count, int(np.floor(round(count * fraction, 9) + 0.5)))


def draw(count: int, taken: int, *, seed: int | None) -> pl.Series:
    """True for `taken` of `count` rows: by chance, or the first ones when there is no seed."""
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


def _strata(key: pl.Series) -> np.ndarray[Any, np.dtype[Any]]:
    """A number from 0 for each value, in the order in which they first occur, by row."""
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


def deal(
    count: int,
    shares: Sequence[float],
    *,
    key: pl.Series | None,
    seed: int | None,
    in_turn: bool,
) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The number, from 0, of the part that each row goes to; `shares` add up to 1.

    key: each of its values is dealt by itself.  seed: None deals the rows in their order.
    in_turn: one row to each part after the other, for parts of equal size; otherwise rows that follow
    each other go to one part.
    """
    order = np.arange(count) if seed is None else _shuffled(count, seed)
    parts = np.empty(count, dtype=np.int64)
    if key is None:
        places = (np.arange(count) + 0.5) / max(count, 1)
    else:
        rows = pl.DataFrame({"key": _nan_is_missing(key), "row": np.arange(count)})[order]
        first = rows.select(pl.col("row").min().over("key")).to_series().to_numpy()
        # One value after the other, so that a part that begins with one does not begin with all.
        by_value = np.argsort(first, kind="stable")
        order = order[by_value]
        within = (pl.int_range(pl.len()).over("key") + 0.5) / pl.len().over("key")
        places = rows.select(within).to_series().to_numpy()[by_value]
    if in_turn:
        parts[order] = np.arange(count) % len(shares)
    else:
        parts[order] = np.searchsorted(np.cumsum(shares[:-1]), places, side="right")
    return parts


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
