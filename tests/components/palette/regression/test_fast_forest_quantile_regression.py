from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.components.learning.trials import fitted, scored, scored_one_by_one, with_gaps

from modelwright.components.context import Context
from modelwright.components.errors import InvalidParameter
from modelwright.components.learning.curves import evaluation_plots
from modelwright.components.learning.training import outline_of_training
from modelwright.components.outline import LearnerOutline, TableOutline, outline_of
from modelwright.components.palette.model_scoring_and_evaluation.evaluate_model import (
    EvaluateModel,
)
from modelwright.components.palette.regression.fast_forest_quantile_regression import (
    FastForestQuantileRegression,
)
from modelwright.data.fitted import Model
from modelwright.data.table import Table


def funnel(rows: int = 800) -> pl.DataFrame:
    """A number whose spread grows with x, and is shifted by a kind."""
    chance = np.random.default_rng(rows)
    x = chance.uniform(0, 10, rows)
    kind = chance.choice(list("pqr"), rows)
    y = 5 * (kind == "q") + chance.normal(0, 0.2 + x / 2, rows)
    return pl.DataFrame({"x": x, "kind": kind, "idle": chance.random(rows), "y": y})


def forest(frame: pl.DataFrame | None = None, **parameters: Any) -> Model:
    settings = {"number_of_trees": 30, **parameters}
    return fitted(FastForestQuantileRegression(**settings), funnel() if frame is None else frame)


def leaves(model: Model) -> list[int]:
    """How many leaves each tree has."""
    evaluator: Any = model.natives["forest"].evaluator
    ends = [*evaluator._roots[1:].tolist(), len(evaluator._test)]
    return [
        int((evaluator._test[a:b] < 0).sum())
        for a, b in zip(evaluator._roots.tolist(), ends, strict=True)
    ]


def test_about_the_asked_share_of_new_rows_lies_below_each_quantile() -> None:
    model = forest(quantiles_to_be_estimated="0.1;0.5;0.9", number_of_trees=100)
    held_out = funnel(3000)
    found = scored(model, held_out)
    for quantile in (0.1, 0.5, 0.9):
        below = (held_out["y"] <= found[f"Scored Quantile {quantile:g}"]).sum() / held_out.height
        assert below == pytest.approx(quantile, abs=0.06)


def test_the_range_widens_where_the_rows_spread() -> None:
    model = forest()
    rows = pl.DataFrame({"x": [0.5, 9.5], "kind": ["p", "p"], "idle": [0.5, 0.5]})
    found = scored(model, rows)
    narrow, wide = found["Scored Quantile 0.75"] - found["Scored Quantile 0.25"]
    assert wide > 2 * narrow


def test_a_label_of_few_values_gives_values_that_occur() -> None:
    frame = funnel().with_columns(y=pl.col("y").round())
    found = scored(forest(frame), frame)
    assert set(found["Scored Quantile 0.5"].to_list()) <= set(frame["y"].to_list())


def test_a_single_tree_of_one_question_holds_the_quantiles_of_its_leaves() -> None:
    frame = funnel(200).select("x", pl.col("y").round(1))
    model = forest(frame, number_of_trees=1, number_of_leaves=2, bagging_fraction=1.0)
    found = scored(model, frame).with_columns(frame["y"])
    for (median,), leaf in found.group_by("Scored Quantile 0.5"):
        expected = np.quantile(leaf["y"].to_numpy(), 0.5, method="inverted_cdf")
        assert median == pytest.approx(float(expected))


def test_quantiles_are_given_in_rising_order_under_their_names() -> None:
    model = forest(quantiles_to_be_estimated=" 0.9; 0.05 ;0.5;")
    assert model.scores.names == (
        "Scored Quantile 0.05",
        "Scored Quantile 0.5",
        "Scored Quantile 0.9",
    )
    found = scored(model, funnel()).to_numpy()
    assert (np.diff(found, axis=1) >= 0).all()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "at least one quantile"),
        ("0.5;0.5", "twice"),
        ("0;0.5", "between 0 and 1"),
        ("1.5", "between 0 and 1"),
        ("half", "could not convert string to float"),
    ],
)
def test_what_is_no_list_of_quantiles_is_refused(text: str, why: str) -> None:
    with pytest.raises(InvalidParameter, match=why):
        FastForestQuantileRegression.parse({"quantiles_to_be_estimated": text})


def test_each_setting_acts() -> None:
    assert len(leaves(forest(number_of_trees=7))) == 7
    assert max(leaves(forest(number_of_leaves=5))) == 5
    bound = {"minimum_number_of_training_instances_required_to_form_a_leaf": 100}
    assert max(leaves(forest(None, number_of_leaves=400, **bound))) <= 8
    contents = {
        forest(**parameters).natives["forest"].content
        for parameters in (
            {},
            {"bagging_fraction": 0.2},
            {"split_fraction": 0.3},
            {"random_number_seed": 1},
        )
    }
    assert len(contents) == 4
    assert forest().natives["forest"].content in contents


def test_the_evaluation_has_the_loss_of_each_quantile_and_their_mean() -> None:
    rows = forest().score(Table(funnel()))
    found = EvaluateModel().run(rows, context=Context()).frame
    names = ["Quantile Loss 0.25", "Quantile Loss 0.5", "Quantile Loss 0.75"]
    assert found.columns == [*names, "Average Quantile Loss"]
    mean = sum(found[name][0] for name in names) / 3
    assert found["Average Quantile Loss"][0] == pytest.approx(mean)
    half = (rows.frame["y"] - rows.frame["Scored Quantile 0.5"]).abs().to_numpy().mean() / 2
    assert found["Quantile Loss 0.5"][0] == pytest.approx(half)
    shares = [line["share_below"] for line in evaluation_plots(rows)["coverage"]]
    assert shares == sorted(shares)


def test_score_and_metric_columns_are_known_before_the_run() -> None:
    rows = Table(funnel())
    learner = FastForestQuantileRegression(number_of_trees=30).outline()["untrained_model"]
    assert isinstance(learner, LearnerOutline)
    known = outline_of_training(learner, TableOutline(rows.schema), "y")
    assert known == outline_of(forest())
    scores = forest().score(rows)
    told = EvaluateModel().outline(
        scored_dataset=outline_of(scores), scored_dataset_to_compare=None
    )
    assert told["evaluation_results"] == outline_of(EvaluateModel().run(scores, context=Context()))


def test_a_row_alone_is_scored_to_the_same_bit_as_in_a_table() -> None:
    for values in (pl.col("y"), pl.col("y").round()):
        frame = with_gaps(funnel(400), "x", "kind").with_columns(values)
        model = forest(frame)
        head = frame.head(100)
        assert_frame_equal(scored_one_by_one(model, head), scored(model, head), check_exact=True)
