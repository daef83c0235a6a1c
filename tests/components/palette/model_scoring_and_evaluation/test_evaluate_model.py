from __future__ import annotations

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from modelwright.components.context import Context
from modelwright.components.learning.errors import (
    NoLabelColumn,
    NoScoreColumns,
    TasksDiffer,
    TooManyGroups,
)
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
from modelwright.data.schema import MissingColumn
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


def grouped(first: Table, second: Table | None = None, by: str = "kind") -> pl.DataFrame:
    return EvaluateModel(group_by_column=by).run(first, second, context=Context()).frame


def with_kinds(table: Table) -> Table:
    kinds = pl.Series("kind", ["b", "a", "a", None, "b"])
    return table.of(table.frame.insert_column(0, kinds))


def test_each_group_is_measured_as_if_it_were_alone() -> None:
    rows = with_kinds(scored("price"))
    found = grouped(rows)
    assert found.columns[:3] == ["Dataset", "Group", "Number of rows"]
    assert found["Group"].to_list() == ["All rows", "a", "b", "(missing)"]
    assert found["Number of rows"].to_list() == [5, 2, 2, 1]
    for at, places in enumerate([range(5), [1, 2], [0, 4], [3]]):
        truth = [rows.frame["price"][p] for p in places]
        guess = [rows.frame["Scored Labels"][p] for p in places]
        errors = [abs(t - g) for t, g in zip(truth, guess, strict=True)]
        assert found["Mean_Absolute_Error"][at] == pytest.approx(sum(errors) / len(errors))
        squares = sum(e * e for e in errors) / len(errors)
        assert found["Root_Mean_Squared_Error"][at] == pytest.approx(squares**0.5)
    # One row has nothing to vary around.
    assert found["Coefficient_of_Determination"][3] is None


def test_groups_of_two_datasets_follow_the_rows_of_all() -> None:
    first = with_kinds(scored("sold"))
    second = with_kinds(scored("sold", l2_regularization_weight=1e6))
    found = grouped(first, second)
    assert found["Group"].to_list() == ["All rows"] * 2 + ["a", "b", "(missing)"] * 2
    assert found["Dataset"].to_list()[:3] == [
        "Scored dataset",
        "Scored dataset to compare",
        "Scored dataset",
    ]
    assert_frame_equal(
        found.head(2).drop("Dataset", "Group", "Number of rows"), evaluated(first, second)
    )
    own = first.frame.filter(pl.col("kind") == "a")
    assert found["Accuracy"][2] == (own["sold"] == own["Scored Labels"]).mean()


def test_a_group_without_a_truth_has_no_metrics() -> None:
    rows = with_kinds(scored("price"))
    gaps = rows.of(
        rows.frame.with_columns(price=pl.when(pl.col("kind") == "a").then(pl.col("price")))
    )
    found = grouped(gaps)
    assert found["Mean_Absolute_Error"].is_null().to_list() == [False, False, True, True]


def test_a_column_to_group_by_must_be_there_and_have_few_values() -> None:
    with pytest.raises(MissingColumn):
        grouped(scored("price"))
    with pytest.raises(MissingColumn):
        EvaluateModel(group_by_column="kind").outline(
            scored_dataset=outline_of(scored("price")), scored_dataset_to_compare=None
        )
    many = pl.concat([scored("price").frame] * 60).with_row_index("number")
    with pytest.raises(TooManyGroups, match="300 different values"):
        grouped(scored("price").of(many), by="number")
