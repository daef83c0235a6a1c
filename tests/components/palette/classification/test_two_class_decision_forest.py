from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.components.learning.trials import fitted, scored, scored_one_by_one, with_gaps

from modelwright.components.learning.metrics import area_under_roc
from modelwright.components.palette.classification.two_class_decision_forest import (
    TwoClassDecisionForest,
)
from modelwright.data.fitted import Model


def rings(rows: int = 400) -> pl.DataFrame:
    chance = np.random.default_rng(rows)
    a, b = chance.normal(size=rows), chance.normal(size=rows)
    kind = chance.choice(list("pqrs"), rows)
    inside = (a**2 + b**2 < 1) ^ (kind == "s")
    return pl.DataFrame({"a": a, "b": b, "kind": kind, "y": np.where(inside, "in", "out")})


def forest(frame: pl.DataFrame | None = None, **parameters: Any) -> Model:
    return fitted(TwoClassDecisionForest(**parameters), rings() if frame is None else frame)


def test_what_was_not_seen_is_told_apart() -> None:
    held_out = rings(500)
    found = scored(forest(), held_out)
    area = area_under_roc(
        (held_out["y"] == "out").to_numpy(), found["Scored Probabilities"].to_numpy()
    )
    assert area is not None
    assert area > 0.9


def test_probabilities_are_shares_of_the_rows_in_the_leaves() -> None:
    frame = rings()
    stump = forest(
        frame,
        number_of_decision_trees=1,
        maximum_depth_of_the_decision_trees=1,
        resampling_method="Replicate",
    )
    found = scored(stump, frame).with_columns(frame["y"])
    assert found["Scored Probabilities"].n_unique() == 2
    for (share,), leaf in found.group_by("Scored Probabilities"):
        assert share == pytest.approx((leaf["y"] == "out").sum() / leaf.height)


def test_a_leaf_of_many_rows_weighs_more() -> None:
    frame = pl.DataFrame(
        {"a": [0.0] * 98 + [1.0] * 2, "y": ["in"] * 70 + ["out"] * 28 + ["in"] * 2}
    )
    model = forest(frame, number_of_decision_trees=20, maximum_depth_of_the_decision_trees=1)
    rows = pl.DataFrame({"a": [1.0]})
    # A few of the samples miss both rows at 1; there the single leaf holds 100 rows and outvotes.
    assert 0.0 < scored(model, rows)["Scored Probabilities"][0] < 0.3


def test_a_value_never_seen_is_scored_only_when_allowed() -> None:
    frame = rings()
    rows = pl.DataFrame({"a": [0.0, 0.0, 0.0], "b": [0.0, 0.0, 0.0], "kind": ["p", "never", None]})
    open_minded = scored(forest(), rows)
    assert open_minded["Scored Labels"].null_count() == 0
    strict = forest(frame, allow_unknown_values_for_categorical_features=False)
    found = scored(strict, rows)
    assert found["Scored Labels"].to_list() == ["in", None, None]
    assert found["Scored Probabilities"][0] == open_minded["Scored Probabilities"][0]
    assert found["Scored Probabilities"].to_list()[1:] == [None, None]


def test_missing_is_known_when_training_saw_it() -> None:
    strict = forest(with_gaps(rings(), "kind"), allow_unknown_values_for_categorical_features=False)
    rows = pl.DataFrame(
        {"a": [0.0], "b": [0.0], "kind": [None]}, schema_overrides={"kind": pl.String}
    )
    assert scored(strict, rows)["Scored Labels"].null_count() == 0


@pytest.mark.parametrize("allowed", [True, False])
def test_a_row_alone_is_scored_to_the_same_bit_as_in_a_table(allowed: bool) -> None:
    frame = with_gaps(rings(200), "a", "kind")
    model = forest(frame, allow_unknown_values_for_categorical_features=allowed)
    unseen = frame.with_columns(kind=pl.lit("never"))
    for rows in (frame, unseen):
        assert_frame_equal(scored_one_by_one(model, rows), scored(model, rows), check_exact=True)


def test_a_category_of_many_levels_needs_no_column_for_each() -> None:
    chance = np.random.default_rng(0)
    level = chance.integers(0, 900, 3000)
    frame = pl.DataFrame({"k": [f"{v:04d}" for v in level], "y": level % 7 < 3})
    found = scored(forest(frame), frame)
    assert (found["Scored Labels"] == frame["y"]).sum() > 0.8 * frame.height
