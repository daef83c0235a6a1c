from __future__ import annotations

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from modelwright.components.context import Context
from modelwright.components.learning.errors import NoLabelColumn, NoScoreColumns, TasksDiffer
from modelwright.components.learning.training import train
from modelwright.components.outline import TableOutline, outline_of
from modelwright.components.palette.classification.two_class_logistic_regression import (
    TwoClassLogisticRegression,
)
from modelwright.components.palette.model_scoring_and_evaluation.evaluate_model import (
    EvaluateModel,
)
from modelwright.components.palette.model_scoring_and_evaluation.score_model import ScoreModel
from modelwright.components.palette.regression.linear_regression import LinearRegression
from modelwright.data.table import Table

ROWS = Table(
    pl.DataFrame(
        {
            "width": [60.0, 62.0, 64.0, 66.0, 68.0],
            "price": [5.0, 6.0, 9.0, 8.0, 11.0],
            "sold": ["yes", "no", "yes", "no", "no"],
        }
    )
)


def scored(label: str, **parameters: float) -> Table:
    learner = LinearRegression if label == "price" else TwoClassLogisticRegression
    model = train(learner.model_validate(parameters), ROWS, label, Context())
    return ScoreModel().run(model, ROWS)


def evaluated(first: Table, second: Table | None = None) -> pl.DataFrame:
    return EvaluateModel().run(first, second, context=Context()).frame


def test_a_regression_gives_a_row_of_five_metrics() -> None:
    rows = scored("price").frame
    error = (rows["price"] - rows["Scored Labels"]).to_list()
    found = evaluated(scored("price"))
    assert found.shape == (1, 5)
    assert found["Mean_Absolute_Error"][0] == pytest.approx(sum(map(abs, error)) / 5)


def test_a_two_class_model_gives_a_row_of_seven_metrics() -> None:
    found = evaluated(scored("sold"))
    assert found.shape == (1, 7)
    rows = scored("sold").frame
    assert found["Accuracy"][0] == (rows["sold"] == rows["Scored Labels"]).mean()


def test_two_inputs_give_two_rows_the_left_one_first() -> None:
    plain, flat = scored("price"), scored("price", l2_regularization_weight=1e9)
    both = evaluated(plain, flat)
    assert_frame_equal(both, pl.concat([evaluated(plain), evaluated(flat)]))
    best, worst = both["Coefficient_of_Determination"]
    assert best > worst


def test_scores_of_different_tasks_are_not_compared() -> None:
    with pytest.raises(TasksDiffer, match="regression and two-class classification"):
        evaluated(scored("price"), scored("sold"))


def test_the_port_at_fault_is_named() -> None:
    with pytest.raises(NoScoreColumns, match='"scored_dataset_to_compare"'):
        evaluated(scored("price"), ROWS)


@pytest.mark.parametrize("label", ["price", "sold"])
def test_the_outline_is_what_evaluation_gives(label: str) -> None:
    first = scored(label)
    known = EvaluateModel().outline(
        scored_dataset=outline_of(first), scored_dataset_to_compare=outline_of(first)
    )
    result = EvaluateModel().run(first, first, context=Context())
    assert known["evaluation_results"] == outline_of(result)


def test_what_is_sure_to_fail_is_told_before_the_run() -> None:
    step = EvaluateModel()
    with pytest.raises(NoScoreColumns):
        step.outline(scored_dataset=outline_of(ROWS), scored_dataset_to_compare=None)
    rest = TableOutline(scored("price").schema.drop(["price"]))
    with pytest.raises(NoLabelColumn):
        step.outline(scored_dataset=rest, scored_dataset_to_compare=None)
    with pytest.raises(TasksDiffer):
        step.outline(
            scored_dataset=outline_of(scored("price")),
            scored_dataset_to_compare=outline_of(scored("sold")),
        )


def test_nothing_is_claimed_while_columns_may_still_turn_up() -> None:
    unsure = TableOutline(ROWS.schema, complete=False)
    known = EvaluateModel().outline(scored_dataset=unsure, scored_dataset_to_compare=None)
    assert known == {"evaluation_results": None}
