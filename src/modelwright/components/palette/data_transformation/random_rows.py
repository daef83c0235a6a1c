"""Choosing rows by chance: a given seed gives the same rows on every machine."""

from __future__ import annotations

import numpy as np
import polars as pl


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
        chosen[np.random.default_rng(seed).permutation(count)[:taken]] = True
    return pl.Series(chosen)


def draw_stratified(key: pl.Series, fraction: float, *, seed: int | None) -> pl.Series:
    """True for a fraction of the rows of each value of `key`; a missing value is one of them.

    Each value gives its share rounded down; the rows that then lack to the share of the whole are
    taken from the values that were rounded down most.  Without a seed the first rows are taken.
    """
    count = len(key)
    order = np.arange(count) if seed is None else np.random.default_rng(seed).permutation(count)
    if key.dtype.is_float():
        key = key.fill_nan(None)
    rows = pl.DataFrame({"key": key, "turn": order})
    strata = rows.group_by("key", maintain_order=True).len()
    exact = strata.get_column("len").to_numpy() * fraction
    quota = np.floor(np.round(exact, 9)).astype(np.int64)
    lacking = share(count, fraction) - int(quota.sum())
    quota[np.argsort(quota - exact, kind="stable")[: max(lacking, 0)]] += 1
    quotas = rows.join(
        strata.select("key", quota=pl.Series(quota)),
        on="key",
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )
    place = pl.col("turn").rank("ordinal").over("key")
    return quotas.select(place <= pl.col("quota")).to_series()
