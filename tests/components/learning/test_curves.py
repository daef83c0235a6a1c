from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import (
    auc,
    confusion_matrix,
    precision_recall_curve,
    recall_score,
    roc_curve,
)

from modelwright.components.learning.curves import (
    POINTS,
    by_class,
    by_threshold,
    confusion,
    evaluation_plots,
    lift,
    precision_recall,
    residual_histogram,
    roc,
)
from modelwright.components.learning.evaluation import ClassScores, NumberScores, TwoClassScores
from modelwright.components.learning.metrics import area_under_roc
from modelwright.data.schema import Column, ColumnType, Role, Score, Task
from modelwright.data.table import Table


def some_scores(rows: int, *, digits: int = 2) -> TwoClassScores:
    chance = np.random.default_rng(rows)
    positive = chance.random(rows) < 0.3
    probability = np.clip(chance.normal(0.4 + 0.2 * positive, 0.2), 0, 1).round(digits)
    return TwoClassScores(positive, probability, "yes", "no")


def test_the_roc_curve_is_that_of_scikit_learn() -> None:
    scores = some_scores(400)
    curve = roc(scores)
    false_rate, true_rate, thresholds = roc_curve(
        scores.positive, scores.probability, drop_intermediate=False
    )
    np.testing.assert_allclose(curve["false_positive_rate"], false_rate)
    np.testing.assert_allclose(curve["true_positive_rate"], true_rate)
    assert curve["threshold"][1:] == pytest.approx(thresholds[1:].tolist())


def test_the_area_under_the_drawn_curve_is_the_metric() -> None:
    scores = some_scores(300)
    curve = roc(scores)
    area = auc(curve["false_positive_rate"], curve["true_positive_rate"])
    assert area_under_roc(scores.positive, scores.probability) == pytest.approx(area)


def test_precision_and_recall_are_those_of_scikit_learn() -> None:
    scores = some_scores(300)
    curve = precision_recall(scores)
    precision, recall, _ = precision_recall_curve(scores.positive, scores.probability)
    # There the thresholds rise, and a last point without rows is added.
    np.testing.assert_allclose(curve["precision"], precision[:-1][::-1])
    np.testing.assert_allclose(curve["recall"], recall[:-1][::-1])


def test_lift_of_four_rows_by_hand() -> None:
    scores = TwoClassScores(
        np.array([True, False, True, False]), np.array([0.9, 0.8, 0.7, 0.1]), 1, 0
    )
    assert lift(scores) == {
        "share_of_rows": [0.25, 0.5, 0.75, 1.0],
        "share_of_positives": [0.5, 0.5, 1.0, 1.0],
        "lift": [2.0, 1.0, pytest.approx(4 / 3), 1.0],
    }


def test_every_threshold_has_the_confusion_matrix_of_scikit_learn() -> None:
    scores = some_scores(200)
    for line in by_threshold(scores, steps=20):
        threshold = line["threshold"]
        assert threshold is not None
        predicted = scores.probability >= threshold
        matrix = confusion_matrix(scores.positive, predicted, labels=[False, True])
        names = ("true_negatives", "false_positives", "false_negatives", "true_positives")
        assert [line[name] for name in names] == matrix.ravel().tolist()
        assert line["accuracy"] == pytest.approx((predicted == scores.positive).mean())


def test_a_long_curve_is_thinned_and_keeps_its_ends() -> None:
    curve = roc(some_scores(5000, digits=9))
    assert len(curve["threshold"]) <= POINTS + 1
    assert (curve["false_positive_rate"][0], curve["true_positive_rate"][0]) == (0.0, 0.0)
    assert (curve["false_positive_rate"][-1], curve["true_positive_rate"][-1]) == (1.0, 1.0)


def test_confusion_of_several_classes_is_that_of_scikit_learn() -> None:
    chance = np.random.default_rng(2)
    actual, predicted = chance.integers(0, 3, 50), chance.integers(0, 3, 50)
    scores = ClassScores(actual, predicted, ("a", "b", "c"), None)
    found = confusion(scores)
    assert found["counts"] == confusion_matrix(actual, predicted).tolist()
    recall = recall_score(actual, predicted, average=None)
    assert [line["recall"] for line in by_class(scores)] == pytest.approx(recall.tolist())


def test_errors_are_counted_by_size() -> None:
    scores = NumberScores(np.zeros(5), np.array([-1.0, 0.0, 0.0, 2.0, np.inf]))
    found = residual_histogram(scores)
    assert (found["edges"][0], found["edges"][-1]) == (-1.0, 2.0)
    assert sum(found["counts"]) == 4


def test_rows_of_one_class_have_curves_all_the_same() -> None:
    scores = TwoClassScores(np.array([False, False]), np.array([0.2, 0.4]), "yes", "no")
    assert roc(scores)["true_positive_rate"] == [0.0, 0.0, 0.0]
    assert by_threshold(scores)[0]["recall"] is None


def test_the_plots_of_a_scored_table_are_json() -> None:
    frame = pl.DataFrame({"price": [1.0, 2.0, 4.0], "Scored Labels": [1.5, 2.0, 3.0]})
    score = Score(Task.REGRESSION, "label", "price")
    table = Table(frame, [Column("Scored Labels", ColumnType.DOUBLE, Role.SCORE, score=score)])
    plots = json.loads(json.dumps(evaluation_plots(table), allow_nan=False))
    assert plots["predicted_actual"] == {
        "actual": [1.0, 2.0, 4.0],
        "predicted": [1.5, 2.0, 3.0],
    }
