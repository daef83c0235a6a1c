"""Gradient-boosted trees, grown by LightGBM on encoded features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from modelwright.components.context import Context
from modelwright.components.learning.design import BLOCK
from modelwright.components.learning.encoding import Encoded, Encoding, Floats
from modelwright.components.learning.learner import TrainingData
from modelwright.data.expression import Expression, Scalar, column, lookup
from modelwright.data.native import Native

NATIVE = "trees"

ONE_AGAINST_ALL = 64
"""Up to so many levels a split sets one level apart from the others; beyond, a set of levels."""

LEAF_PENALTY = 10.0
"""Times half the square of a leaf's value: what keeps a leaf of a few rows from saying too much."""

LEAF_PENALTY_OF_CLASSES = 3.0
"""The same with a tree for each class, whose rows weigh less."""

DRAWN_ROWS = 0.7
"""The share of the rows that a tree is grown on; the trees of a round have the same rows."""

DRAWN_INPUTS = 0.7
"""The share of the inputs that a split chooses from."""

ONE_THREAD = 1_000_000
"""Up to so many cells one thread grows the trees: several spend their time waiting for each other."""

_ENDING = "end of trees"


def boost(
    data: TrainingData,
    context: Context,
    *,
    objective: Mapping[str, Any],
    leaves: int,
    fewest_rows: int,
    rate: float,
    trees: int,
    seed: int,
) -> tuple[Native, list[dict[str, Any]]]:
    """The ensemble, and the importance of the features.

    objective: LightGBM's parameters that say what is minimised.  fewest_rows: in a leaf.
    """
    import lightgbm

    numbers = len(data.encoded.encoding.numbers)
    held = tree_frame(data.encoded)
    width = held.width
    parameters = {
        "num_leaves": max(leaves, 2),
        "min_data_in_leaf": fewest_rows,
        "min_data_per_group": fewest_rows,
        "lambda_l2": LEAF_PENALTY,
        "bagging_fraction": DRAWN_ROWS,
        "bagging_freq": 1,
        "feature_fraction_bynode": DRAWN_INPUTS,
        "max_cat_to_onehot": ONE_AGAINST_ALL,
        "learning_rate": rate,
        "seed": seed,
        "num_threads": 1 if data.rows * width <= ONE_THREAD else context.threads or 0,
        "deterministic": True,
        "force_col_wise": True,
        "verbosity": -1,
        **objective,
    }
    rows = lightgbm.Dataset(
        held,
        data.target,
        feature_name=held.columns,
        categorical_feature=list(range(numbers, width)),
        params=parameters,
        free_raw_data=True,
    )

    def tell(state: Any) -> None:
        context.progress((state.iteration + 1) / trees)

    booster = lightgbm.train(parameters, rows, num_boost_round=trees, callbacks=[tell])
    native = Native("lightgbm", _text(booster), {"inputs": width})
    return native, _importance(data.encoded.encoding, booster)


def tree_frame(data: Encoded) -> pl.DataFrame:
    """The columns of `tree_matrix`, null where missing or unseen; numbers where they lie already."""
    numbers = (
        s if s.dtype == pl.Float64 else s.cast(pl.Float64) for s in data.columns.get_columns()
    )
    codes = (
        pl.Series(codes).set(pl.Series(codes == len(feature.levels)), None)
        for codes, feature in zip(data.codes, data.encoding.categories, strict=True)
    )
    # By the names that LightGBM gives the columns of a matrix: it does not take every name.
    return pl.DataFrame([s.alias(f"Column_{at}") for at, s in enumerate((*numbers, *codes))])


def tree_matrix(data: Encoded) -> Floats:
    """(rows, features): numbers, then level numbers of categories; NaN where missing or unseen."""
    encoding = data.encoding
    numbers = len(encoding.numbers)
    matrix = np.empty((data.rows, numbers + len(encoding.categories)), order="F")
    for start in range(0, data.rows, BLOCK):
        matrix[start : start + BLOCK, :numbers] = data.block(start, start + BLOCK)
    for at, (codes, feature) in enumerate(zip(data.codes, encoding.categories, strict=True)):
        values = matrix[:, numbers + at]
        values[:] = codes
        values[codes == len(feature.levels)] = np.nan
    return matrix


def tree_inputs(encoding: Encoding) -> tuple[Expression, ...]:
    """The columns of `tree_matrix` as expressions over the feature columns."""
    inputs = [column(n.name) for n in encoding.numbers]
    for category in encoding.categories:
        levels: dict[Scalar, Scalar] = {
            level: float(number) for number, level in enumerate(category.levels)
        }
        inputs.append(lookup(column(category.name), levels))
    return tuple(inputs)


def _text(booster: Any) -> bytes:
    """The trees alone: what follows them names the number of threads and other circumstances."""
    text: str = booster.model_to_string()
    return (text[: text.index(_ENDING)] + _ENDING + "\n").encode()


def _importance(encoding: Encoding, booster: Any) -> list[dict[str, Any]]:
    names = [n.name for n in encoding.numbers] + [c.name for c in encoding.categories]
    gains = booster.feature_importance("gain")
    splits = booster.feature_importance("split")
    total = float(gains.sum()) or 1.0
    lines = [
        {"feature": name, "gain": float(gain) / total, "splits": int(count)}
        for name, gain, count in zip(names, gains, splits, strict=True)
    ]
    return sorted(lines, key=lambda line: (-line["gain"], line["feature"]))
