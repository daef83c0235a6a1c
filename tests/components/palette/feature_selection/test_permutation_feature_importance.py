from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from sklearn.metrics import (
    accuracy_score,
    mean_absolute_error,
    precision_score,
    r2_score,
    recall_score,
    root_mean_squared_error,
)

from modelwright.components.context import Context
from modelwright.components.errors import EmptyTable, InvalidParameter
from modelwright.components.learning.errors import NoLabelColumn, SchemaMismatch
from modelwright.components.outline import ModelOutline, TableOutline
from modelwright.components.palette.feature_selection.permutation_feature_importance import (
    ImportanceNotDefined,
    PermutationFeatureImportance,
)
from modelwright.data.expression import Compute, Formula, column, dot, when
from modelwright.data.fitted import Model
from modelwright.data.schema import Column, ColumnType, Role, Schema, Score, Task
from modelwright.data.table import Table

FEATURES = Schema(tuple(Column(name, ColumnType.DOUBLE) for name in ("much", "little", "unused")))
CHANCE = np.random.default_rng(1)
FRAME = pl.DataFrame({name: CHANCE.normal(size=400) for name in FEATURES.names}).with_columns(
    y=5.0 * pl.col("much") + pl.col("little"),
    dear=pl.when(pl.col("much") > 0).then(pl.lit("yes")).otherwise(pl.lit("no")),
)


def number_model(task: Task = Task.REGRESSION) -> Model:
    """Predicts the number y exactly."""
    value = dot([(column("much"), 5.0), (column("little"), 1.0)])
    score = Score(task, "label", "y")
    scored = Column("Scored Labels", ColumnType.DOUBLE, Role.SCORE, score=score)
    formula = Formula(Compute({"Scored Labels": value}))
    return Model(task, formula, FEATURES, Schema((scored,)), Column("y", ColumnType.DOUBLE))


def class_model() -> Model:
    """Tells exactly whether a row is dear."""
    share = when(column("much") > 0.0, 0.9, 0.1)
    label = when(column("much") > 0.0, "yes", "no")
    scores = Schema(
        (
            Column(
                "Scored Labels",
                ColumnType.STRING,
                Role.SCORE,
                score=Score(Task.TWO_CLASS, "label", "dear"),
            ),
            Column(
                "Scored Probabilities",
                ColumnType.DOUBLE,
                Role.SCORE,
                score=Score(Task.TWO_CLASS, "probability", "dear", "yes"),
            ),
        )
    )
    formula = Formula(Compute({"Scored Labels": label, "Scored Probabilities": share}))
    known = Column("dear", ColumnType.STRING)
    return Model(Task.TWO_CLASS, formula, FEATURES, scores, known, ("no", "yes"))


def several_class_model() -> Model:
    """Tells whether a row is cheap, dear or neither, by places that are a little off."""
    label = when(column("much") > 0.9, "yes", when(column("much") > 0.1, "so", "no"))
    score = Score(Task.MULTICLASS, "label", "dear")
    scored = Column("Scored Labels", ColumnType.STRING, Role.SCORE, score=score)
    formula = Formula(Compute({"Scored Labels": label}))
    known = Column("dear", ColumnType.STRING)
    classes = ("no", "so", "yes")
    return Model(Task.MULTICLASS, formula, FEATURES, Schema((scored,)), known, classes)


def importance(model: Model, frame: pl.DataFrame = FRAME, **parameters: Any) -> pl.DataFrame:
    component = PermutationFeatureImportance.model_validate(parameters)
    return component.run(model, Table(frame), context=Context()).frame


def test_the_feature_that_matters_most_comes_first_and_an_unused_one_scores_nothing() -> None:
    report = importance(number_model())

    assert report["Feature"].to_list() == ["much", "little", "unused"]
    assert report["Score"][0] > 1 > report["Score"][1] > 0
    assert report["Score"][2] == 0.0


def test_a_score_is_how_much_worse_the_metric_gets() -> None:
    report = importance(number_model(), metric="Mean Absolute Error", seed=4)

    order = np.random.default_rng(np.random.SeedSequence(4).spawn(3)[0]).permutation(400)
    much = FRAME["much"].to_numpy()
    assert dict(report.rows())["much"] == pytest.approx(np.abs(5 * (much[order] - much)).mean())


@pytest.mark.parametrize(
    "metric",
    [
        "Mean Absolute Error",
        "Root Mean Squared Error",
        "Relative Absolute Error",
        "Relative Squared Error",
        "Coefficient of Determination",
    ],
)
def test_above_zero_is_needed_by_every_metric_of_numbers(metric: str) -> None:
    found = dict(importance(number_model(), metric=metric).rows())

    assert found["much"] > found["little"] > found["unused"] == 0.0


def shuffled(seed: int) -> pl.Series:
    """The values of the first feature in the order of that seed."""
    order = np.random.default_rng(np.random.SeedSequence(seed).spawn(3)[0]).permutation(400)
    return FRAME["much"].gather(order)


def classes_of(values: pl.Series, edges: list[float], names: list[str]) -> pl.Series:
    """The name for each value, the next one above each edge."""
    return pl.Series([names[place] for place in np.searchsorted(edges, values)])


@pytest.mark.parametrize(
    ("metric", "error_of"),
    [
        ("Mean Absolute Error", mean_absolute_error),
        ("Root Mean Squared Error", root_mean_squared_error),
        (
            "Relative Absolute Error",
            lambda y, p: mean_absolute_error(y, p) / mean_absolute_error(y, [y.mean()] * 400),
        ),
        ("Relative Squared Error", lambda y, p: 1 - r2_score(y, p)),
        ("Coefficient of Determination", lambda y, p: -r2_score(y, p)),
    ],
)
def test_each_metric_of_numbers_is_the_one_of_scikit_learn(
    metric: str, error_of: Callable[[pl.Series, Any], float]
) -> None:
    rough = FRAME.with_columns(y=pl.col("y") + pl.Series(CHANCE.normal(size=400)))
    predicted = 5.0 * FRAME["much"] + FRAME["little"]

    report = importance(number_model(), rough, metric=metric, seed=7)

    after = 5.0 * shuffled(7) + FRAME["little"]
    expected = error_of(rough["y"], after) - error_of(rough["y"], predicted)
    assert dict(report.rows())["much"] == pytest.approx(expected)


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize(
    ("metric", "quality"),
    [("Accuracy", accuracy_score), ("Precision", precision_score), ("Recall", recall_score)],
)
def test_each_metric_of_classes_is_the_one_of_scikit_learn(
    metric: str, quality: Callable[..., float], several: bool
) -> None:
    # Of the rows that the model takes for dear, some are not.
    edges, names = ([-0.5, 0.5], ["no", "so", "yes"]) if several else ([0.3], ["no", "yes"])
    truth = classes_of(FRAME["much"], edges, names)
    model = several_class_model() if several else class_model()
    taken = [0.1, 0.9] if several else [0.0]
    how: dict[str, Any] = {"average": "macro"} if several else {"pos_label": "yes"}
    how = {} if metric == "Accuracy" else how

    report = importance(model, FRAME.with_columns(dear=truth), metric=metric, seed=7)

    before, after = (classes_of(v, taken, names) for v in (FRAME["much"], shuffled(7)))
    expected = quality(truth, before, **how) - quality(truth, after, **how)
    assert dict(report.rows())["much"] == pytest.approx(expected)
    assert expected > 0.1


@pytest.mark.parametrize("metric", ["Accuracy", "Precision", "Recall", None])
def test_classes_have_metrics_of_their_own(metric: str | None) -> None:
    found = dict(importance(class_model(), metric=metric).rows())

    assert found["much"] == pytest.approx(0.5, abs=0.1)
    assert (found["little"], found["unused"]) == (0.0, 0.0)


def test_a_seed_repeats_its_shuffles_and_another_gives_others() -> None:
    once, again, other = (importance(number_model(), seed=seed) for seed in (0, 0, 1))

    assert_frame_equal(once, again)
    assert not once.equals(other)


def test_a_metric_that_is_not_defined_gives_missing_scores() -> None:
    alike = FRAME.with_columns(y=pl.lit(3.0))

    report = importance(number_model(), alike, metric="Relative Squared Error")

    assert report["Score"].to_list() == [None, None, None]
    assert report["Feature"].to_list() == list(FEATURES.names)


@pytest.mark.parametrize(
    ("model", "metric"), [(number_model(), "Precision"), (class_model(), "Mean Absolute Error")]
)
def test_a_metric_of_another_task_is_refused_before_and_in_a_run(model: Model, metric: str) -> None:
    component = PermutationFeatureImportance.model_validate({"metric": metric})

    with pytest.raises(InvalidParameter, match="it is no metric of"):
        component.run(model, Table(FRAME), context=Context())
    with pytest.raises(InvalidParameter):
        component.outline(trained_model=ModelOutline(model.task), test_data=None)


def test_a_model_of_another_kind_is_refused() -> None:
    with pytest.raises(ImportanceNotDefined) as caught:
        importance(number_model(Task.ANOMALY))

    assert caught.value.code == "importance-not-defined"


def test_the_data_need_a_label_the_features_and_rows() -> None:
    with pytest.raises(NoLabelColumn):
        importance(number_model(), FRAME.drop("y"))
    with pytest.raises(SchemaMismatch):
        importance(number_model(), FRAME.drop("unused"))
    with pytest.raises(EmptyTable):
        importance(number_model(), FRAME.clear())


def test_progress_is_told() -> None:
    told: list[float] = []

    PermutationFeatureImportance().run(
        number_model(), Table(FRAME), context=Context(progress=told.append)
    )

    assert told == pytest.approx([1 / 3, 2 / 3, 1.0])


def test_the_outline_has_the_columns_that_a_run_gives() -> None:
    schema = Table(importance(number_model())).schema
    model = ModelOutline(Task.REGRESSION, features=FEATURES)

    assert PermutationFeatureImportance().outline(trained_model=model, test_data=None) == {
        "feature_importance": TableOutline(schema, rows=3)
    }
