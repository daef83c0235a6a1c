from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.components.learning.trials import elsewhere

from modelwright.components.context import Context
from modelwright.components.errors import EmptyTable
from modelwright.components.learning.errors import (
    AllMissing,
    LabelAllMissing,
    NoLabelColumn,
    TooFewRows,
    WrongLabelType,
    WrongLearner,
)
from modelwright.components.learning.learner import Learner
from modelwright.components.learning.training import train
from modelwright.components.outline import outline_of
from modelwright.components.palette.classification.multiclass_logistic_regression import (
    MulticlassLogisticRegression,
)
from modelwright.components.palette.classification.one_vs_all_multiclass import (
    OneVsAllMulticlass,
)
from modelwright.components.palette.classification.two_class_logistic_regression import (
    TwoClassLogisticRegression,
)
from modelwright.components.palette.clustering.k_means_clustering import KMeansClustering
from modelwright.components.palette.data_transformation.partition_and_sample import (
    PartitionAndSample,
)
from modelwright.components.palette.model_scoring_and_evaluation.cross_validate_model import (
    CrossValidateModel,
    Validated,
)
from modelwright.components.palette.regression.linear_regression import LinearRegression
from modelwright.data.schema import Role
from modelwright.data.table import Table


def rows(count: int = 60) -> Table:
    chance = np.random.default_rng(count)
    a = chance.normal(size=count)
    frame = pl.DataFrame(
        {
            "a": a,
            "kind": chance.choice(["p", "q"], count),
            "y": 2 * a + chance.normal(0, 0.1, count),
            "side": np.where(a + chance.normal(0, 0.5, count) > 0.8, "up", "down"),
        }
    )
    return Table(frame)


def validated(
    learner: Learner | None = None, table: Table | None = None, **parameters: Any
) -> Validated:
    step = CrossValidateModel(**{"label_column": "y", **parameters})
    return step.run((learner or LinearRegression()).run(), table or rows(), context=Context())


def test_every_row_is_scored_once_by_a_model_that_did_not_see_it() -> None:
    found = validated().scored_results
    names = (*rows().schema.names, "Scored Labels", "Fold Number")
    assert found.schema.names == names
    assert found.frame.select(rows().schema.names).equals(rows().frame)
    fold = found.frame["Fold Number"]
    outside = rows().of(rows().frame.filter(fold != 4))
    model = train(LinearRegression(), outside, "y", Context())
    inside = model.score(rows().of(rows().frame.filter(fold == 4))).frame
    mine = found.frame.filter(fold == 4)["Scored Labels"]
    assert mine.to_list() == inside["Scored Labels"].to_list()


def test_ten_folds_of_equal_size_are_reported_from_0() -> None:
    report = validated().evaluation_results_by_fold.frame
    assert report["Fold Number"].to_list() == list(range(10))
    assert report["Number of examples in fold"].to_list() == [6] * 10
    assert report.columns[2] == "Mean_Absolute_Error"


def test_the_metrics_of_a_fold_are_those_of_its_rows() -> None:
    found = validated()
    fold = found.scored_results.frame.filter(pl.col("Fold Number") == 7)
    expected = (fold["y"] - fold["Scored Labels"]).abs().to_numpy().mean()
    report = found.evaluation_results_by_fold.frame
    assert report["Mean_Absolute_Error"][7] == pytest.approx(expected)


def test_the_seed_draws_the_folds() -> None:
    first, again, other = (
        validated(random_seed=s).scored_results.frame["Fold Number"].to_list() for s in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_each_fold_has_its_share_of_every_class() -> None:
    found = validated(TwoClassLogisticRegression(), label_column="side").scored_results.frame
    ups = found.filter(pl.col("side") == "up").group_by("Fold Number").len()["len"].to_list()
    assert max(ups) - min(ups) <= 1
    assert found.columns[-3:] == ["Scored Labels", "Scored Probabilities", "Fold Number"]


def test_folds_assigned_before_are_used() -> None:
    step = PartitionAndSample(mode="Assign to Folds", folds=3)
    folded: Any = step.run(rows())
    found = validated(table=folded)
    assert found.evaluation_results_by_fold.rows == 3
    numbers = found.scored_results.frame["Fold Number"]
    for fold, members in enumerate(folded.folds):
        assert set(members.to_list()) == set((numbers == fold).arg_true().to_list())


def test_a_class_that_a_fold_cannot_learn_has_no_probability_there() -> None:
    chance = np.random.default_rng(0)
    frame = pl.DataFrame({"a": chance.normal(size=41), "y": ["n", "s"] * 20 + ["rare"]})
    found = validated(MulticlassLogisticRegression(), Table(frame)).scored_results.frame
    rare = found["Scored Probabilities_rare"]
    assert rare.null_count() == 0
    assert rare[40] == 0.0


def test_a_wrapped_learner_is_validated_too() -> None:
    wrapped = OneVsAllMulticlass().around(TwoClassLogisticRegression())
    step = CrossValidateModel(label_column="side")
    found = step.run(wrapped.as_data(), rows(), context=Context())
    assert found.evaluation_results_by_fold.frame["Accuracy"].to_numpy().mean() > 0.7


def test_rows_without_a_label_are_scored_and_not_measured() -> None:
    gap = rows().frame.with_columns(y=pl.when(pl.int_range(pl.len()) != 5).then(pl.col("y")))
    found = validated(table=Table(gap))
    assert found.scored_results.frame["Scored Labels"].null_count() == 0
    assert found.evaluation_results_by_fold.frame["Mean_Absolute_Error"].null_count() == 0


def test_folds_are_tried_where_the_place_has_workers() -> None:
    told: list[float] = []
    step = CrossValidateModel(label_column="y")
    found = step.run(
        LinearRegression().run(),
        rows(),
        context=Context(map=elsewhere, width=2, progress=told.append),
    )
    # One call back for each fold that came in from elsewhere.
    assert told == pytest.approx([n / 10 for n in range(1, 11)])
    expected = step.run(LinearRegression().run(), rows(), context=Context())
    assert found.scored_results.frame.equals(expected.scored_results.frame)


@pytest.mark.parametrize(
    ("learner", "table", "parameters", "fault"),
    [
        (KMeansClustering(), rows(), {}, WrongLearner),
        (LinearRegression(), rows(), {"label_column": ""}, NoLabelColumn),
        (LinearRegression(), rows(), {"label_column": "side"}, WrongLabelType),
        (LinearRegression(), rows(9), {}, TooFewRows),
        (LinearRegression(), rows().of(rows().frame.clear()), {}, EmptyTable),
        (
            LinearRegression(),
            Table(rows().frame.with_columns(y=pl.lit(None, pl.Float64))),
            {},
            LabelAllMissing,
        ),
    ],
)
def test_what_cannot_be_validated_is_refused(
    learner: Learner, table: Table, parameters: dict[str, Any], fault: type[Exception]
) -> None:
    with pytest.raises(fault):
        validated(learner, table, **parameters)


@pytest.mark.parametrize(
    ("learner", "label"), [(LinearRegression(), "y"), (TwoClassLogisticRegression(), "side")]
)
def test_the_columns_are_known_before_the_run(learner: Learner, label: str) -> None:
    step = CrossValidateModel(label_column=label)
    known: Any = step.outline(
        untrained_model=learner.outline()["untrained_model"], dataset=outline_of(rows())
    )
    found = step.run(learner.run(), rows(), context=Context())
    scores = found.scored_results.schema
    assert known["scored_results"].schema.names == scores.names
    assert known["evaluation_results_by_fold"].schema == found.evaluation_results_by_fold.schema
    assert scores.column("Fold Number").role is Role.NONE


def test_a_column_with_values_in_one_fold_only_is_told_so() -> None:
    sparse = pl.Series("sparse", [1.0, *[None] * 59])
    table = Table(rows().frame.with_columns(sparse))
    with pytest.raises(AllMissing, match="in any row outside one of the folds"):
        validated(table=table)
