from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from modelwright.components.context import Context
from modelwright.components.contract import Component
from modelwright.components.errors import ColumnTypeError, EmptyTable, MissingColumn
from modelwright.components.learning.errors import (
    InfiniteValues,
    LabelAllMissing,
    NoFeatureColumns,
    NoLabelColumn,
    OneClassOnly,
    SeveralLabelColumns,
    TooFewRows,
    WrongClassCount,
    WrongLabelType,
    WrongLearner,
)
from modelwright.components.outline import LearnerOutline, ModelOutline, TableOutline
from modelwright.components.palette.classification.two_class_logistic_regression import (
    TwoClassLogisticRegression,
)
from modelwright.components.palette.model_training.train_model import TrainModel
from modelwright.components.palette.regression.linear_regression import LinearRegression
from modelwright.data.errors import ModelwrightError
from modelwright.data.fitted import Model, UntrainedModel
from modelwright.data.schema import Role, Task
from modelwright.data.table import Table

ROWS = pl.DataFrame(
    {
        "width": [60.0, 62.0, 64.0, 66.0],
        "fuel": ["gas", "gas", "diesel", "gas"],
        "price": [5.0, 6.0, 9.0, 8.0],
        "sold": [True, False, True, False],
    }
)
REGRESSION = LearnerOutline(Task.REGRESSION, "Linear Regression")
TWO_CLASS = LearnerOutline(Task.TWO_CLASS, "Two-Class Logistic Regression")


def trained(
    table: Table | pl.DataFrame, label: str = "price", learner: Component | None = None
) -> Model:
    table = table if isinstance(table, Table) else Table(table)
    learner = learner or LinearRegression()
    return TrainModel(label_column=label).run(learner.run(), table, context=Context())


def outlined(table: Table, label: str, learner: LearnerOutline | None = REGRESSION) -> Any:
    step = TrainModel(label_column=label)
    return step.outline(untrained_model=learner, dataset=TableOutline(table.schema))[
        "trained_model"
    ]


def test_features_are_all_columns_but_the_label() -> None:
    model = trained(ROWS)
    assert model.features.names == ("width", "fuel", "sold")
    assert model.label is not None
    assert model.label.name == "price"
    assert model.made_by == "Linear Regression"
    assert model.task is Task.REGRESSION


def test_only_columns_in_the_role_of_features_are_learnt_from() -> None:
    table = Table(ROWS).mark("sold", role=Role.NONE).mark("fuel", role=Role.SCORE)
    assert trained(table).features.names == ("width",)


def test_the_marked_column_is_the_label_when_none_is_chosen() -> None:
    table = Table(ROWS).mark("price", role=Role.LABEL)
    assert trained(table, "").label == table.schema.column("price")


def test_another_marked_label_is_no_feature() -> None:
    table = Table(ROWS).mark("sold", role=Role.LABEL)
    assert trained(table, "price").features.names == ("width", "fuel")


def test_rows_without_a_label_are_ignored_and_counted() -> None:
    told: list[str] = []
    gaps = ROWS.with_columns(price=pl.Series([5.0, None, 9.0, float("nan")]))
    step = TrainModel(label_column="price")
    model = step.run(LinearRegression().run(), Table(gaps), context=Context(log=told.append))
    assert model.learnt["rows"] == 2
    assert told[0] == '2 rows without a value in "price" are ignored.'
    # A level of an ignored row was not seen.
    assert model.learnt["featurisation"][1] == {
        "feature": "fuel",
        "as": "category",
        "levels": ["diesel", "gas"],
    }


def test_what_training_did_is_recorded() -> None:
    learnt = trained(ROWS).learnt
    assert learnt["settings"]["l2_regularization_weight"] == 1.0
    assert set(learnt["libraries"]) == {"modelwright", "polars", "numpy"}
    assert learnt["featurisation"][0] == {
        "feature": "width",
        "as": "number",
        "mean": 63.0,
        "minimum": 60.0,
        "maximum": 66.0,
    }
    assert "explanation" not in learnt
    assert len(learnt["sample"]) == ROWS.height


def test_the_time_of_training_is_in_the_log() -> None:
    told: list[str] = []
    step = TrainModel(label_column="price")
    step.run(LinearRegression().run(), Table(ROWS), context=Context(log=told.append))
    assert any(line.startswith("Fitted in") and line.endswith("seconds.") for line in told)


def test_an_explanation_is_made_when_asked_for() -> None:
    step = TrainModel(label_column="price", model_explanation=True)
    model = step.run(LinearRegression().run(), Table(ROWS), context=Context())
    told = {line["feature"] for line in model.learnt["explanation"]["features"]}
    assert told == {"width", "fuel", "sold"}


def test_training_twice_gives_the_same_model() -> None:
    first, second = trained(ROWS), trained(ROWS)
    assert (first.formula, first.learnt) == (second.formula, second.learnt)


def test_ranges_are_told_in_the_log() -> None:
    told: list[str] = []
    learner = TwoClassLogisticRegression(create_trainer_mode="ParameterRange")
    step = TrainModel(label_column="sold")
    step.run(learner.run(), Table(ROWS), context=Context(log=told.append))
    assert "first value of each range (optimization_tolerance 1e-05, " in told[0]


INFINITE = ROWS.with_columns(price=pl.Series([1.0, 2.0, 3.0, float("inf")]))
UNSURE = ROWS.with_columns(price=pl.lit(None, pl.Float64))
PROBABLY = TwoClassLogisticRegression()


@pytest.mark.parametrize(
    ("table", "label", "learner", "fault"),
    [
        (Table(ROWS), "prize", None, MissingColumn),
        (Table(ROWS), "", None, NoLabelColumn),
        (Table(ROWS).mark("price", "width", role=Role.LABEL), "", None, SeveralLabelColumns),
        (Table(ROWS), "fuel", None, WrongLabelType),
        (Table(ROWS), "sold", None, WrongLabelType),
        (Table(ROWS.select("price")), "price", None, NoFeatureColumns),
        (Table(ROWS).mark("width", "fuel", "sold", role=Role.NONE), "price", None, NoFeatureColumns),
        (Table(ROWS.with_columns(width=pl.lit("2024-01-01").str.to_date())), "price", None,
         ColumnTypeError),
        (Table(ROWS.clear()), "price", None, EmptyTable),
        (Table(UNSURE), "price", None, LabelAllMissing),
        (Table(ROWS.head(1)), "price", None, TooFewRows),
        (Table(INFINITE), "price", None, InfiniteValues),
        (Table(ROWS), "price", PROBABLY, WrongClassCount),
        (Table(ROWS.with_columns(sold=True)), "sold", PROBABLY, OneClassOnly),
    ],
)  # fmt: skip
def test_data_that_cannot_be_learnt_from_are_refused(
    table: Table, label: str, learner: Component | None, fault: type[ModelwrightError]
) -> None:
    with pytest.raises(fault):
        trained(table, label, learner)


@pytest.mark.parametrize(
    ("table", "label", "learner", "fault"),
    [
        (Table(ROWS), "prize", REGRESSION, MissingColumn),
        (Table(ROWS), "prize", None, MissingColumn),
        (Table(ROWS), "", REGRESSION, NoLabelColumn),
        (Table(ROWS).mark("price", "width", role=Role.LABEL), "", None, SeveralLabelColumns),
        (Table(ROWS), "fuel", REGRESSION, WrongLabelType),
        (Table(ROWS.select("price")), "price", REGRESSION, NoFeatureColumns),
        (Table(ROWS.with_columns(width=pl.lit("2024-01-01").str.to_date())), "price", TWO_CLASS,
         ColumnTypeError),
        (Table(ROWS), "price", LearnerOutline(Task.CLUSTERING, "K-Means Clustering"), WrongLearner),
    ],
)  # fmt: skip
def test_what_is_sure_to_fail_is_told_before_the_run(
    table: Table, label: str, learner: LearnerOutline | None, fault: type[ModelwrightError]
) -> None:
    with pytest.raises(fault):
        outlined(table, label, learner)


def test_messages_say_where_and_what_to_do() -> None:
    with pytest.raises(WrongClassCount) as caught:
        trained(ROWS, "price", PROBABLY)
    assert str(caught.value) == (
        'Label column "price" has 4 values (5.0, 6.0, 8.0, 9.0); exactly two are needed. '
        "Use a multiclass learner, or bring the label to two values."
    )


def test_the_outline_is_what_training_gives() -> None:
    outline = outlined(Table(ROWS), "price")
    model = trained(ROWS)
    assert outline == ModelOutline(Task.REGRESSION, model.label, model.features, model.scores)


def test_the_outline_of_a_two_class_model_has_its_score_columns() -> None:
    outline = outlined(Table(ROWS), "sold", TWO_CLASS)
    assert outline.scores.names == ("Scored Labels", "Scored Probabilities")
    assert outline.scores.column("Scored Labels").type.value == "Boolean"


def test_columns_that_may_still_turn_up_are_not_missed() -> None:
    step = TrainModel(label_column="later")
    unsure = TableOutline(Table(ROWS).schema, complete=False)
    found = step.outline(untrained_model=REGRESSION, dataset=unsure)["trained_model"]
    assert found == ModelOutline(Task.REGRESSION)
    assert step.outline(untrained_model=None, dataset=None)["trained_model"] is None


def test_a_learner_for_clusters_is_refused_with_the_step_that_trains_it() -> None:
    untrained = UntrainedModel(Task.CLUSTERING, "split-data", 1, {})
    with pytest.raises(WrongLearner, match="Split Data"):
        TrainModel(label_column="price").run(untrained, Table(ROWS), context=Context())
