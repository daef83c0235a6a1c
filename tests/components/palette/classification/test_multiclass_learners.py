from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from tests.components.learning.trials import fitted, scored, scored_one_by_one, with_gaps

from modelwright.components.context import Context
from modelwright.components.learning.errors import (
    FractionalClasses,
    ScoreNameTaken,
    TooManyClasses,
)
from modelwright.components.learning.learner import Learner
from modelwright.components.learning.scoring import score
from modelwright.components.library import library
from modelwright.components.palette.classification.multiclass_boosted_decision_tree import (
    MulticlassBoostedDecisionTree,
)
from modelwright.components.palette.classification.multiclass_decision_forest import (
    MulticlassDecisionForest,
)
from modelwright.components.palette.classification.multiclass_logistic_regression import (
    MulticlassLogisticRegression,
)
from modelwright.components.palette.model_scoring_and_evaluation.evaluate_model import (
    EvaluateModel,
)
from modelwright.data.fitted import Model
from modelwright.data.table import Table

LEARNERS = [
    MulticlassLogisticRegression(),
    MulticlassBoostedDecisionTree(number_of_trees_constructed=15),
    MulticlassDecisionForest(),
]
EVERY = pytest.mark.parametrize("learner", LEARNERS, ids=lambda n: type(n).__name__)


def flowers(rows: int = 300) -> pl.DataFrame:
    chance = np.random.default_rng(rows)
    kind = chance.integers(0, 4, rows)
    a = chance.normal(2.5 * kind, 1, rows)
    b = chance.normal(-1.5 * (kind == 2), 1, rows)
    soil = np.where(chance.random(rows) < 0.8, kind % 2, 1 - kind % 2)
    return pl.DataFrame(
        {
            "a": a,
            "b": b,
            "soil": np.where(soil == 1, "wet", "dry"),
            "y": [("iris", "lily", "Mohn rot", "aster")[k] for k in kind],
        }
    )


def weights(model: Model) -> list[float]:
    return [w["weight"] for w in model.learnt["weights"] if w["feature"] != "Bias"]


@EVERY
def test_most_of_what_was_not_seen_is_told_apart(learner: Learner) -> None:
    held_out = flowers(400)
    found = score(fitted(learner, flowers()), Table(held_out))
    metrics = EvaluateModel().run(found, context=Context()).frame
    assert metrics["Accuracy"][0] > 0.8
    assert 0.2 < metrics["Average Log Loss"][0] < 4


@EVERY
def test_each_class_has_a_probability_under_its_own_name(learner: Learner) -> None:
    frame = flowers(100)
    model = fitted(learner, frame)
    assert model.classes == ("Mohn rot", "aster", "iris", "lily")
    assert model.scores.names == (
        "Scored Labels",
        "Scored Probabilities_Mohn rot",
        "Scored Probabilities_aster",
        "Scored Probabilities_iris",
        "Scored Probabilities_lily",
    )
    found = scored(model, frame)
    shares = found.drop("Scored Labels").to_numpy()
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
    first = [model.classes[at] for at in shares.argmax(axis=1)]
    assert found["Scored Labels"].to_list() == first


@EVERY
def test_a_row_alone_is_scored_to_the_same_bit_as_in_a_table(learner: Learner) -> None:
    frame = with_gaps(flowers(100), "a", "soil")
    model = fitted(learner, frame)
    assert_frame_equal(scored_one_by_one(model, frame), scored(model, frame), check_exact=True)


@EVERY
@pytest.mark.parametrize(
    "values", [[3, 1, 2, 0], [0.0, 1.0, 2.0, -1.0], [True, False, True, False]]
)
def test_classes_may_be_numbers_or_booleans(learner: Learner, values: list[Any]) -> None:
    frame = flowers(60).with_columns(
        y=pl.col("y").replace_strict(["iris", "lily", "Mohn rot", "aster"], values)
    )
    found = scored(fitted(learner, frame), frame)
    assert found["Scored Labels"].dtype == frame["y"].dtype
    assert set(found["Scored Labels"].to_list()) <= set(values)


@EVERY
def test_nothing_but_the_score_columns_is_left(learner: Learner) -> None:
    frame = flowers(40)
    model = fitted(learner, frame)
    assert model.score(Table(frame)).schema.names == (*frame.columns, *model.scores.names)


def test_fractions_are_no_classes_unless_marked() -> None:
    frame = pl.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "y": [0.5, 1.0, 0.5, 2.0]})
    with pytest.raises(FractionalClasses, match=r"such as 0\.5"):
        fitted(MulticlassLogisticRegression(), frame)
    table = Table(frame).mark("y", categorical=True)
    step = library().make("train-model", 1, {"label_column": "y"})
    model = step.run(MulticlassLogisticRegression().run(), table, context=Context())
    assert model.classes == (0.5, 1.0, 2.0)


def test_more_classes_than_can_be_learnt_are_refused() -> None:
    frame = pl.DataFrame({"a": range(1001), "y": range(1001)})
    with pytest.raises(TooManyClasses, match="1001 values; at most 1000"):
        fitted(MulticlassLogisticRegression(), frame)


def test_a_feature_named_like_a_score_is_refused() -> None:
    frame = flowers(30).rename({"b": "Scored Probabilities_iris"})
    with pytest.raises(ScoreNameTaken, match='"Scored Probabilities_iris"'):
        fitted(MulticlassDecisionForest(), frame)


def test_multinomial_probabilities_are_those_of_scikit_learn() -> None:
    frame = flowers()
    scaled = StandardScaler().fit_transform(frame.select("a", "b").to_numpy())
    matrix = np.column_stack([scaled, frame["soil"].to_dummies().to_numpy()])
    other = LogisticRegression(C=1.0, tol=1e-12, max_iter=10_000)
    expected = other.fit(matrix, frame["y"].to_numpy()).predict_proba(matrix)
    learner = MulticlassLogisticRegression(l1_regularization_weight=0, optimization_tolerance=1e-13)
    found = scored(fitted(learner, frame), frame).drop("Scored Labels").to_numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_each_setting_of_the_logistic_learner_acts() -> None:
    def model(**parameters: Any) -> Model:
        return fitted(MulticlassLogisticRegression(**parameters), flowers())

    assert weights(model(l1_regularization_weight=20)).count(0.0) > weights(model()).count(0.0)
    loose, tight = (model(l2_regularization_weight=w) for w in (0.01, 50))
    assert np.abs(weights(tight)).max() < np.abs(weights(loose)).max()
    early, late = (model(optimization_tolerance=t) for t in (0.01, 1e-12))
    assert early.learnt["steps"] < late.learnt["steps"]
    assert model(random_number_seed=1).formula == model(random_number_seed=1).formula
    assert model(random_number_seed=1).formula != model(random_number_seed=2).formula


def test_boosted_probabilities_are_those_of_lightgbm() -> None:
    frame = flowers().select("a", "b", "y")
    parameters = {
        "objective": "multiclass",
        "num_class": 4,
        "num_leaves": 31,
        "min_data_in_leaf": 1,
        "lambda_l2": 3.0,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "feature_fraction_bynode": 0.7,
        "learning_rate": 0.1,
        "deterministic": True,
        "force_col_wise": True,
        "seed": 42,
        "verbosity": -1,
    }
    names = ["Mohn rot", "aster", "iris", "lily"]
    target = frame["y"].replace_strict(names, range(4)).to_numpy()
    matrix = frame.select("a", "b").to_numpy()
    data = lightgbm.Dataset(matrix, target, params=parameters)
    expected = lightgbm.train(parameters, data, 15).predict(matrix)
    found = scored(fitted(LEARNERS[1], frame), frame).drop("Scored Labels").to_numpy()
    np.testing.assert_array_equal(found, expected)
    assert MulticlassBoostedDecisionTree().random_number_seed == 42
