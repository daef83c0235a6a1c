from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as known

from modelwright.components.learning.metrics import (
    SMALLEST_PROBABILITY,
    area_under_roc,
    log_loss,
    log_loss_gain,
    multiclass_metrics,
    quantile_loss,
    regression_metrics,
    two_class_metrics,
)

FEW = settings(max_examples=40, deadline=None)
PAIRS = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.4, 0.5, 0.6, 0.9, 1.0])),
    min_size=1,
    max_size=30,
)
NUMBERS = st.lists(
    st.tuples(st.integers(-1000, 1000), st.integers(-1000, 1000)), min_size=2, max_size=30
).filter(lambda pairs: len({a for a, _ in pairs}) > 1)


def test_measures_of_numbers_on_four_rows_by_hand() -> None:
    actual, predicted = np.array([1.0, 2.0, 3.0, 6.0]), np.array([2.0, 2.0, 5.0, 5.0])
    assert regression_metrics(actual, predicted) == {
        "Mean_Absolute_Error": 1.0,
        "Root_Mean_Squared_Error": pytest.approx(math.sqrt(6 / 4)),
        "Relative_Squared_Error": pytest.approx(6 / 14),
        "Relative_Absolute_Error": pytest.approx(4 / 6),
        "Coefficient_of_Determination": pytest.approx(8 / 14),
    }


@FEW
@given(NUMBERS)
def test_measures_of_numbers_are_those_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    actual, predicted = (np.array(side) / 8 for side in zip(*pairs, strict=True))
    found = regression_metrics(actual, predicted)
    assert found["Mean_Absolute_Error"] == pytest.approx(
        known.mean_absolute_error(actual, predicted), abs=1e-9
    )
    assert found["Root_Mean_Squared_Error"] == pytest.approx(
        known.root_mean_squared_error(actual, predicted), abs=1e-9
    )
    assert found["Coefficient_of_Determination"] == pytest.approx(
        known.r2_score(actual, predicted), rel=1e-6, abs=1e-9
    )


def test_relative_errors_of_a_constant_truth_are_undefined() -> None:
    found = regression_metrics(np.array([2.0, 2.0]), np.array([1.0, 3.0]))
    assert found["Relative_Squared_Error"] is None
    assert found["Coefficient_of_Determination"] is None
    assert found["Mean_Absolute_Error"] == 1.0


def test_measures_of_two_classes_on_five_rows_by_hand() -> None:
    positive = np.array([True, True, True, False, False])
    found = two_class_metrics(positive, np.array([0.9, 0.5, 0.2, 0.6, 0.1]), threshold=0.5)
    losses = [-math.log(p) for p in (0.9, 0.5, 0.2, 0.4, 0.9)]
    guess = -(0.6 * math.log(0.6) + 0.4 * math.log(0.4))
    assert found == {
        "Accuracy": pytest.approx(3 / 5),
        "Precision": pytest.approx(2 / 3),
        "Recall": pytest.approx(2 / 3),
        "F1 Score": pytest.approx(2 / 3),
        "AUC": pytest.approx(4 / 6),
        "Average Log Loss": pytest.approx(sum(losses) / 5),
        "Training Log Loss": pytest.approx(100 * (1 - sum(losses) / 5 / guess)),
    }


@FEW
@given(PAIRS)
def test_measures_of_two_classes_are_those_of_scikit_learn(
    pairs: list[tuple[bool, float]],
) -> None:
    positive, probability = (np.array(side) for side in zip(*pairs, strict=True))
    found = two_class_metrics(positive, probability, threshold=0.5)
    predicted = probability >= 0.5
    assert found["Accuracy"] == pytest.approx(known.accuracy_score(positive, predicted))
    for name, measure in (
        ("Precision", known.precision_score),
        ("Recall", known.recall_score),
        ("F1 Score", known.f1_score),
    ):
        expected = measure(positive, predicted, zero_division=np.nan)
        if math.isnan(expected):
            assert found[name] is None
        else:
            assert found[name] == pytest.approx(expected)
    assert found["Average Log Loss"] == pytest.approx(
        known.log_loss(positive, probability, labels=[False, True])
    )
    if positive.any() and not positive.all():
        assert found["AUC"] == pytest.approx(known.roc_auc_score(positive, probability))
    else:
        assert found["AUC"] is None


def test_area_counts_ties_one_half() -> None:
    assert area_under_roc(np.array([True, False]), np.array([0.3, 0.3])) == 0.5


def test_a_guess_of_the_share_gains_nothing_and_a_perfect_score_everything() -> None:
    positive = np.array([True, False, False, False])
    guessed = log_loss(positive, np.full(4, 0.25))
    assert log_loss_gain(positive, guessed) == pytest.approx(0.0)
    assert log_loss_gain(positive, 0.0) == 100.0
    assert log_loss_gain(np.array([True, True]), 0.1) is None


def test_a_certain_mistake_costs_a_finite_loss() -> None:
    assert log_loss(np.array([True]), np.array([0.0])) == pytest.approx(36.04, abs=0.01)


CLASSES = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40)


@FEW
@given(CLASSES)
def test_measures_of_several_classes_are_those_of_scikit_learn(
    pairs: list[tuple[int, int]],
) -> None:
    actual, predicted = (np.array(side) for side in zip(*pairs, strict=True))
    found = multiclass_metrics(actual, predicted, None)
    assert found["Accuracy"] == pytest.approx(known.accuracy_score(actual, predicted))
    for name, measure in (
        ("Precision", known.precision_score),
        ("Recall", known.recall_score),
    ):
        for average in ("micro", "macro"):
            expected = measure(actual, predicted, average=average, zero_division=0)
            assert found[f"{average.title()} {name}"] == pytest.approx(expected)
    assert found["Macro F1 Score"] == pytest.approx(
        known.f1_score(actual, predicted, average="macro", zero_division=0)
    )
    assert found["Average Log Loss"] is None


def test_average_accuracy_is_the_mean_over_one_against_the_rest() -> None:
    actual, predicted = np.array([0, 0, 1, 2]), np.array([0, 1, 1, 1])
    found = multiclass_metrics(actual, predicted, np.array([0.5, 0.25, 1.0, 0.0]))
    assert found["Average Accuracy"] == pytest.approx((3 / 4 + 2 / 4 + 3 / 4) / 3)
    losses = [-math.log(0.5), -math.log(0.25), 0.0, -math.log(SMALLEST_PROBABILITY)]
    assert found["Average Log Loss"] == pytest.approx(sum(losses) / 4)


@FEW
@given(NUMBERS, st.sampled_from([0.1, 0.5, 0.9]))
def test_quantile_loss_is_that_of_scikit_learn(
    pairs: list[tuple[int, int]], quantile: float
) -> None:
    actual, predicted = (np.array(side) / 8 for side in zip(*pairs, strict=True))
    expected = known.mean_pinball_loss(actual, predicted, alpha=quantile)
    assert quantile_loss(actual, predicted, quantile) == pytest.approx(expected)
