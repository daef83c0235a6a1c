from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.preprocessing import StandardScaler
from tests.components.learning.trials import fitted, scored, scored_one_by_one, with_gaps

from modelwright.components.errors import InvalidParameter
from modelwright.components.learning.errors import WrongLearner
from modelwright.components.learning.learner import Learner
from modelwright.components.learning.wrappers import TwoClassWrapper
from modelwright.components.outline import LearnerOutline
from modelwright.components.palette.classification.one_vs_all_multiclass import (
    OneVsAllMulticlass,
)
from modelwright.components.palette.classification.one_vs_one_multiclass import (
    OneVsOneMulticlass,
)
from modelwright.components.palette.classification.two_class_boosted_decision_tree import (
    TwoClassBoostedDecisionTree,
)
from modelwright.components.palette.classification.two_class_decision_forest import (
    TwoClassDecisionForest,
)
from modelwright.components.palette.classification.two_class_logistic_regression import (
    TwoClassLogisticRegression,
)
from modelwright.components.palette.classification.two_class_support_vector_machine import (
    TwoClassSupportVectorMachine,
)
from modelwright.components.palette.regression.linear_regression import LinearRegression
from modelwright.data.schema import Task

WRAPPERS: list[TwoClassWrapper] = [OneVsAllMulticlass(), OneVsOneMulticlass()]
BASES: list[Learner] = [
    TwoClassLogisticRegression(),
    TwoClassBoostedDecisionTree(number_of_trees_constructed=5),
    TwoClassDecisionForest(),
    TwoClassSupportVectorMachine(project_to_the_unit_sphere=True),
]
BOTH = pytest.mark.parametrize("wrapper", WRAPPERS, ids=lambda w: type(w).__name__)


def flowers(rows: int = 300) -> pl.DataFrame:
    chance = np.random.default_rng(rows)
    kind = chance.integers(0, 4, rows)
    return pl.DataFrame(
        {
            "a": chance.normal(kind % 2, 0.5),
            "b": chance.normal(kind // 2, 0.5),
            "soil": np.where(chance.random(rows) < 0.5 + 0.1 * kind, "wet", "dry"),
            "y": [("n", "e", "s", "w")[k] for k in kind],
        }
    )


def wrapped(wrapper: TwoClassWrapper, base: Learner) -> Learner:
    """The learner that Train Model finds on the wire."""
    return Learner.of(wrapper.run(base.run()))


@BOTH
@pytest.mark.parametrize("base", BASES, ids=lambda b: type(b).__name__)
def test_any_two_class_learner_can_be_wrapped(wrapper: TwoClassWrapper, base: Learner) -> None:
    frame = with_gaps(flowers(), "a", "soil")
    model = fitted(wrapped(wrapper, base), frame)
    found = scored(model, frame)
    assert (found["Scored Labels"] == frame["y"]).sum() > 0.6 * frame.height
    np.testing.assert_allclose(found.drop("Scored Labels").to_numpy().sum(axis=1), 1.0)
    head = frame.head(60)
    assert_frame_equal(scored_one_by_one(model, head), scored(model, head), check_exact=True)


def exact() -> TwoClassLogisticRegression:
    return TwoClassLogisticRegression(l1_regularization_weight=0, optimization_tolerance=1e-13)


def matrix(frame: pl.DataFrame) -> np.ndarray:
    scaled = StandardScaler().fit_transform(frame.select("a", "b").to_numpy())
    return np.column_stack([scaled, frame["soil"].to_dummies().to_numpy()])


def test_one_against_all_is_that_of_scikit_learn() -> None:
    frame = flowers()
    other = OneVsRestClassifier(LogisticRegression(C=1.0, tol=1e-12, max_iter=10_000))
    other.fit(matrix(frame), frame["y"].to_numpy())
    found = scored(fitted(wrapped(OneVsAllMulticlass(), exact()), frame), frame)
    np.testing.assert_allclose(
        found.drop("Scored Labels").to_numpy(), other.predict_proba(matrix(frame)), atol=1e-5
    )
    assert found["Scored Labels"].to_list() == other.predict(matrix(frame)).tolist()


def test_one_against_one_scores_the_classes_of_scikit_learn() -> None:
    frame = flowers()
    other = OneVsOneClassifier(LogisticRegression(C=1.0, tol=1e-12, max_iter=10_000))
    expected = other.fit(matrix(frame), frame["y"].to_numpy()).predict(matrix(frame))
    found = scored(fitted(wrapped(OneVsOneMulticlass(), exact()), frame), frame)
    # Features are scaled once for all pairs, and ties are broken in another way.
    assert (found["Scored Labels"].to_numpy() == expected).mean() > 0.98


def test_there_is_a_model_per_class_or_per_pair() -> None:
    base = TwoClassBoostedDecisionTree(number_of_trees_constructed=2)
    each, pairs = (fitted(wrapped(w, base), flowers()) for w in WRAPPERS)
    assert len(each.natives) == 4
    assert [line["class"] for line in each.learnt["classes"]] == ["e", "n", "s", "w"]
    assert len(pairs.natives) == 6
    assert pairs.learnt["pairs"][0]["classes"] == ["e", "n"]


@BOTH
def test_the_settings_of_the_learner_inside_act(wrapper: TwoClassWrapper) -> None:
    weak, strong = (
        fitted(wrapped(wrapper, TwoClassLogisticRegression(l2_regularization_weight=w)), flowers())
        for w in (0.1, 1000)
    )
    assert weak.learnt["settings"]["learner"] == "two-class-logistic-regression"
    assert strong.learnt["settings"]["l2_regularization_weight"] == 1000
    spread = [scored(m, flowers())["Scored Probabilities_n"].std() for m in (weak, strong)]
    assert spread[0] > spread[1]  # type: ignore[operator]


@BOTH
def test_ranges_are_those_of_the_learner_inside(wrapper: TwoClassWrapper) -> None:
    base = TwoClassLogisticRegression(
        create_trainer_mode="ParameterRange", l2_regularization_weight_range={"values": [7, 8]}
    )
    learner = wrapped(wrapper, base)
    assert learner.ranges()["l2_regularization_weight"] == (7, 8)
    assert learner.single().settings()["l2_regularization_weight"] == 7


@BOTH
def test_only_a_two_class_learner_is_wrapped(wrapper: TwoClassWrapper) -> None:
    port = "untrained_binary_classification_model"
    with pytest.raises(WrongLearner, match="Linear Regression"):
        wrapper.run(LinearRegression().run())
    with pytest.raises(WrongLearner, match="a two-class learner on this port"):
        wrapper.outline(**{port: LearnerOutline(Task.MULTICLASS, "Multiclass Decision Forest")})
    known: Any = wrapper.outline(**{port: LearnerOutline(Task.TWO_CLASS, "X")})
    assert known["untrained_model"].task is Task.MULTICLASS


def test_a_wrapper_without_a_learner_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="no learner is wrapped"):
        OneVsAllMulticlass.configured({})


def test_two_classes_can_be_told_apart_too() -> None:
    frame = flowers().filter(pl.col("y").is_in(["n", "s"]))
    for wrapper in WRAPPERS:
        found = scored(fitted(wrapped(wrapper, TwoClassLogisticRegression()), frame), frame)
        assert set(found["Scored Labels"].to_list()) == {"n", "s"}
