"""Dividing user-item ratings so that a recommender can be tested on users and items it knows, or not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from modelwright.components.palette.data_transformation.random_rows import share


@dataclass(frozen=True)
class RatingShares:
    """The fractions by which users, items and ratings are told apart, each from 0 to 1."""

    training_only_users: float
    test_ratings_for_training: float
    cold_users: float
    cold_items: float
    ignored_users: float
    ignored_items: float


def split_ratings(
    frame: pl.DataFrame, shares: RatingShares, *, drop_cold_items: bool, seed: int
) -> tuple[pl.Series, pl.Series]:
    """Which rows train and which test; a row may do neither.

    frame: the user in its first column, the item in its second, no missing value in either.
    """
    chance = np.random.default_rng(seed)
    user, item = frame.to_series(0).alias("user"), frame.to_series(1).alias("item")
    users, items = _shuffled(user, chance), _shuffled(item, chance)
    ignored, cold = share(len(users), shares.ignored_users), share(len(users), shares.cold_users)
    trained = share(len(users), shares.training_only_users)
    out_user, cold_user = users[:ignored], users[ignored : ignored + cold]
    only_user = users[ignored + cold : ignored + cold + trained]
    ignored, cold = share(len(items), shares.ignored_items), share(len(items), shares.cold_items)
    out_item, cold_item = items[:ignored], items[ignored : ignored + cold]

    rows = pl.DataFrame(
        {
            "user": user,
            "kept": ~user.is_in(out_user) & ~item.is_in(out_item),
            "new": user.is_in(cold_user),
            "only": user.is_in(only_user),
            "cold": item.is_in(cold_item),
            "turn": chance.permutation(frame.height),
        }
    )
    # Only ratings that may go either way count for the share of a test user's ratings.
    free = pl.col("kept") & ~pl.col("new") & ~pl.col("only") & ~pl.col("cold")
    place = pl.col("turn").rank("ordinal").over("user", free)
    quota = (
        (pl.len().over("user", free) * shares.test_ratings_for_training).round(9) + 0.5
    ).floor()
    train = pl.col("kept") & ~pl.col("cold") & (pl.col("only") | (free & (place <= quota)))
    divided = rows.select(train=train, test=pl.col("kept") & ~pl.col("only") & ~train)
    training, testing = divided.get_column("train"), divided.get_column("test")
    if drop_cold_items:
        testing = testing & (item.is_in(item.filter(training).unique()) | item.is_in(cold_item))
    return training, testing


def _shuffled(column: pl.Series, chance: np.random.Generator) -> pl.Series:
    different = column.unique(maintain_order=True)
    return different.gather(chance.permutation(len(different)))
