from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from modelwright.components.context import Context
from modelwright.components.learning.explanation import explain, sampled
from modelwright.components.learning.training import train
from modelwright.components.palette.classification.two_class_boosted_decision_tree import (
    TwoClassBoostedDecisionTree,
)
from modelwright.components.palette.regression.linear_regression import LinearRegression
from modelwright.data.table import Table

CHANCE = np.random.default_rng(0)
ROWS = pl.DataFrame(
    {
        "strong": CHANCE.normal(size=300),
        "weak": CHANCE.normal(size=300),
        "kind": CHANCE.choice(["a", "b"], 300),
        "idle": CHANCE.normal(size=300),
    }
).with_columns(y=5 * pl.col("strong") - pl.col("weak") + 2 * (pl.col("kind") == "b"))


def test_a_linear_model_is_explained_by_weight_times_distance_from_the_mean() -> None:
    model = train(LinearRegression(l2_regularization_weight=0), Table(ROWS), "y", Context())
    one = ROWS.head(1)
    found = explain(model, pl.concat([one] * 50), ROWS, orders=100)
    mean = found.contributions[:, :, 0].mean(axis=0)
    expected = 5 * (one["strong"][0] - ROWS["strong"].mean())
    assert mean[0] == pytest.approx(expected, abs=0.2)
    assert mean[3] == pytest.approx(0, abs=1e-6)
    assert found.averages[0] == pytest.approx(ROWS["y"].mean(), abs=0.3)


def test_contributions_of_a_row_add_up_to_its_distance_from_what_it_was_compared_with() -> None:
    model = train(LinearRegression(), Table(ROWS), "y", Context())
    rows = ROWS.head(20)
    found = explain(model, rows, ROWS.tail(1), orders=3)
    scores = model.score(Table(ROWS)).frame["Scored Labels"].to_numpy()
    together = found.contributions[:, :, 0].sum(axis=1)
    np.testing.assert_allclose(together, scores[:20] - scores[-1], atol=1e-9)


def test_features_are_ranked_by_how_far_they_move_a_probability() -> None:
    rows = ROWS.with_columns(y=pl.when(pl.col("y") > 0).then(pl.lit("yes")).otherwise(pl.lit("no")))
    model = train(
        TwoClassBoostedDecisionTree(number_of_trees_constructed=20), Table(rows), "y", Context()
    )
    sample = sampled(rows, 60)
    found = explain(model, sample, sample)
    assert found.scores == ("Scored Probabilities",)
    assert found.summary()[0]["feature"] == "strong"
    assert found.summary()[-1]["feature"] == "idle"


def test_a_sample_is_the_same_each_time() -> None:
    assert sampled(ROWS, 10).equals(sampled(ROWS, 10))
    assert sampled(ROWS, 1000) is ROWS
