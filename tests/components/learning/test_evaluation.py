from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from modelwright.components.errors import EmptyTable
from modelwright.components.learning.errors import (
    InfiniteValues,
    LabelAllMissing,
    LabelNotComparable,
    NoLabelColumn,
    NoScoreColumns,
    ScoresAllMissing,
    SeveralLabelColumns,
)
from modelwright.components.learning.evaluation import (
    ClassScores,
    NumberScores,
    TwoClassScores,
    metric_columns,
    read_scores,
)
from modelwright.data.schema import Column, ColumnType, Role, Score, Task
from modelwright.data.table import Table


def number_scores(frame: pl.DataFrame, *, label: str | None = "price") -> Table:
    score = Score(Task.REGRESSION, "label", label)
    marks = [Column("Scored Labels", ColumnType.DOUBLE, Role.SCORE, score=score)]
    return Table(frame, marks)


def class_scores(frame: pl.DataFrame, positive: str | int | bool = "yes") -> Table:
    columns = [
        Column("Scored Labels", ColumnType.STRING, Role.SCORE),
        Column("Scored Probabilities", ColumnType.DOUBLE, Role.SCORE),
    ]
    scores = [
        Score(Task.TWO_CLASS, "label", "left"),
        Score(Task.TWO_CLASS, "probability", "left", positive),
    ]
    marks = [Column(c.name, c.type, c.role, score=s) for c, s in zip(columns, scores, strict=True)]
    return Table(frame, marks)


def test_numbers_are_read_without_rows_that_lack_truth_or_score() -> None:
    told: list[str] = []
    table = number_scores(
        pl.DataFrame({"price": [1, 2, None, 4], "Scored Labels": [1.5, float("nan"), 3.0, 4.0]})
    )
    scores = read_scores(table, port="scored", log=told.append)
    assert isinstance(scores, NumberScores)
    np.testing.assert_array_equal(scores.actual, [1.0, 4.0])
    np.testing.assert_array_equal(scores.predicted, [1.5, 4.0])
    assert told == ["2 rows without a label or a score are ignored."]


def test_the_positive_class_is_the_one_the_probability_speaks_of() -> None:
    frame = pl.DataFrame(
        {
            "left": ["no", "yes"],
            "Scored Labels": ["no", "no"],
            "Scored Probabilities": [0.1, 0.4],
        }
    )
    scores = read_scores(class_scores(frame), port="scored")
    assert isinstance(scores, TwoClassScores)
    assert (scores.positive_class, scores.negative_class) == ("yes", "no")
    assert scores.positive.tolist() == [False, True]
    turned = read_scores(class_scores(frame, positive="no"), port="scored")
    assert isinstance(turned, TwoClassScores)
    assert turned.positive.tolist() == [True, False]


def test_truth_may_be_in_another_column_when_it_carries_the_mark() -> None:
    table = number_scores(pl.DataFrame({"cost": [1.0, 2.0], "Scored Labels": [1.0, 2.0]}))
    with pytest.raises(NoLabelColumn, match=r'port "scored".*Mark the column with the truth'):
        read_scores(table, port="scored")
    marked = read_scores(table.mark("cost", role=Role.LABEL), port="scored")
    assert marked.metrics()["Mean_Absolute_Error"] == 0.0


def test_two_marked_columns_leave_the_truth_open() -> None:
    frame = pl.DataFrame({"a": [1.0], "b": [1.0], "Scored Labels": [1.0]})
    table = number_scores(frame, label=None).mark("a", "b", role=Role.LABEL)
    with pytest.raises(SeveralLabelColumns, match=r'"a", "b".*Leave the label mark to one'):
        read_scores(table, port="scored")


def test_an_infinite_truth_is_refused_and_an_infinite_score_is_measured() -> None:
    for truth in (math.inf, 1e200):
        frame = pl.DataFrame({"price": [1.0, truth], "Scored Labels": [1.0, 2.0]})
        with pytest.raises(InfiniteValues, match='Column "price" on port "scored"'):
            read_scores(number_scores(frame), port="scored")
    frame = pl.DataFrame({"price": [1.0, 3.0], "Scored Labels": [1.0, math.inf]})
    found = read_scores(number_scores(frame), port="scored").metrics()
    assert found["Mean_Absolute_Error"] == math.inf
    assert found["Coefficient_of_Determination"] == -math.inf
    far = pl.DataFrame({"price": [1.0, 3.0], "Scored Labels": [1.0, 1e200]})
    told = read_scores(number_scores(far), port="scored").metrics()
    assert told["Mean_Absolute_Error"] == 5e199
    assert told["Root_Mean_Squared_Error"] == math.inf


def test_a_table_that_was_never_scored_is_refused() -> None:
    with pytest.raises(NoScoreColumns, match="have no score columns"):
        read_scores(Table(pl.DataFrame({"price": [1.0]})), port="scored")


def test_a_lost_probability_is_named() -> None:
    frame = pl.DataFrame({"left": ["no"], "Scored Labels": ["no"], "Scored Probabilities": [0.1]})
    table = class_scores(frame)
    rest = table.of(table.frame.drop("Scored Probabilities"))
    with pytest.raises(NoScoreColumns, match='"Scored Probabilities"'):
        read_scores(rest, port="scored")


def test_a_class_that_training_never_saw_counts_as_a_mistake() -> None:
    frame = pl.DataFrame(
        {
            "left": ["a", "b", "c"],
            "Scored Labels": ["a", "b", "b"],
            "Scored Probabilities_a": [0.5, 0.25, 0.25],
            "Scored Probabilities_b": [0.5, 0.75, 0.75],
        }
    )
    marks = [
        Column(
            name, ColumnType.DOUBLE, Role.SCORE, score=Score(Task.MULTICLASS, content, "left", of)
        )
        for name, content, of in (
            ("Scored Labels", "label", None),
            ("Scored Probabilities_a", "probability", "a"),
            ("Scored Probabilities_b", "probability", "b"),
        )
    ]
    scores = read_scores(Table(frame, marks), port="scored")
    assert isinstance(scores, ClassScores)
    assert scores.classes == ("a", "b", "c")
    assert scores.likelihood is not None
    assert scores.likelihood.tolist() == [0.5, 0.75, 0.0]
    assert scores.metrics()["Accuracy"] == pytest.approx(2 / 3)


def test_text_is_not_compared_with_numbers() -> None:
    table = number_scores(pl.DataFrame({"price": ["1"], "Scored Labels": [1.0]}))
    with pytest.raises(LabelNotComparable, match="it is String, the scored labels are Double"):
        read_scores(table, port="scored")


def test_a_third_class_in_the_truth_is_refused() -> None:
    frame = pl.DataFrame(
        {
            "left": ["no", "perhaps"],
            "Scored Labels": ["no", "no"],
            "Scored Probabilities": [0.1, 0.4],
        }
    )
    with pytest.raises(LabelNotComparable, match="'no', 'perhaps'"):
        read_scores(class_scores(frame), port="scored")


def test_nothing_to_measure_is_told_apart() -> None:
    none = pl.Series([None], dtype=pl.Float64)
    with pytest.raises(LabelAllMissing):
        read_scores(
            number_scores(pl.DataFrame({"price": none, "Scored Labels": [1.0]})), port="scored"
        )
    with pytest.raises(ScoresAllMissing):
        read_scores(
            number_scores(pl.DataFrame({"price": [1.0], "Scored Labels": none})), port="scored"
        )
    empty = pl.DataFrame(schema={"price": pl.Float64, "Scored Labels": pl.Float64})
    with pytest.raises(EmptyTable):
        read_scores(number_scores(empty), port="scored")


def test_the_scores_of_the_last_model_count() -> None:
    frame = pl.DataFrame({"Scored Probabilities": [0.1], "price": [3.0], "Scored Labels": [1.0]})
    earlier = Score(Task.TWO_CLASS, "probability", "left", "yes")
    marks = [
        Column("Scored Probabilities", ColumnType.DOUBLE, Role.SCORE, score=earlier),
        *number_scores(frame).schema.columns[2:],
    ]
    assert read_scores(Table(frame, marks), port="scored").metrics()["Mean_Absolute_Error"] == 2.0


def test_the_columns_of_the_table_are_known_before_there_are_rows() -> None:
    regression, two_class = metric_columns(Task.REGRESSION), metric_columns(Task.TWO_CLASS)
    several = metric_columns(Task.MULTICLASS)
    assert regression is not None
    assert several is not None
    assert several.names[0] == "Accuracy"
    assert two_class is not None
    assert regression.names == (
        "Mean_Absolute_Error",
        "Root_Mean_Squared_Error",
        "Relative_Squared_Error",
        "Relative_Absolute_Error",
        "Coefficient_of_Determination",
    )
    assert two_class.names == (
        "Accuracy",
        "Precision",
        "Recall",
        "F1 Score",
        "AUC",
        "Average Log Loss",
        "Training Log Loss",
    )
