from __future__ import annotations

import lightgbm
import numpy as np
import polars as pl
from polars.testing import assert_frame_equal
from tests.components.learning.trials import fitted, scored, scored_one_by_one, with_gaps

from modelwright.components.palette.regression.boosted_decision_tree_regression import (
    BoostedDecisionTreeRegression,
)


def waves(rows: int = 500) -> pl.DataFrame:
    chance = np.random.default_rng(rows)
    a, b = chance.uniform(-3, 3, rows), chance.normal(size=rows)
    kind = chance.choice(list("pqrs"), rows)
    y = np.sin(a) * 10 + (kind == "r") * 5 + chance.normal(0, 0.3, rows)
    return pl.DataFrame({"a": a, "b": b, "kind": kind, "y": y})


def test_numbers_are_those_of_lightgbm_on_the_same_matrix() -> None:
    frame = waves().select("a", "b", "y")
    parameters = {
        "objective": "regression",
        "num_leaves": 20,
        "min_data_in_leaf": 1,
        "lambda_l2": 10.0,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "feature_fraction_bynode": 0.7,
        "learning_rate": 0.2,
        "deterministic": True,
        "force_col_wise": True,
        "seed": 0,
        "verbosity": -1,
    }
    matrix = frame.select("a", "b").to_numpy()
    data = lightgbm.Dataset(matrix, frame["y"].to_numpy(), params=parameters)
    expected = lightgbm.train(parameters, data, 100).predict(matrix)
    found = scored(fitted(BoostedDecisionTreeRegression(), frame), frame)
    np.testing.assert_array_equal(found["Scored Labels"].to_numpy(), expected)


def test_a_curve_is_learnt_that_no_line_fits() -> None:
    model = fitted(BoostedDecisionTreeRegression(number_of_trees_constructed=40), waves())
    held_out = waves(600)
    error = scored(model, held_out)["Scored Labels"] - held_out["y"]
    assert error.pow(2).mean() < 0.1 * held_out["y"].var(ddof=0)  # type: ignore[operator]


def test_a_row_alone_is_scored_to_the_same_bit_as_in_a_table() -> None:
    frame = with_gaps(waves(200), "a", "kind")
    model = fitted(BoostedDecisionTreeRegression(number_of_trees_constructed=10), frame)
    assert_frame_equal(scored_one_by_one(model, frame), scored(model, frame), check_exact=True)


def test_a_target_far_from_zero_is_met() -> None:
    frame = waves(100).with_columns(y=1e9)
    model = fitted(BoostedDecisionTreeRegression(number_of_trees_constructed=3), frame)
    assert scored(model, frame)["Scored Labels"].to_list() == [1e9] * 100
