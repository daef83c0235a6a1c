"""Exact contributions add up to what a model scores, and are those that other ways find."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.components.learning.trials import fitted

from modelwright.components.context import Context
from modelwright.components.learning.learner import Learner
from modelwright.components.palette.classification.multiclass_boosted_decision_tree import (
    MulticlassBoostedDecisionTree,
)
from modelwright.components.palette.classification.multiclass_logistic_regression import (
    MulticlassLogisticRegression,
)
from modelwright.components.palette.classification.two_class_averaged_perceptron import (
    TwoClassAveragedPerceptron,
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
from modelwright.components.palette.model_training.train_model import TrainModel
from modelwright.components.palette.regression.boosted_decision_tree_regression import (
    BoostedDecisionTreeRegression,
)
from modelwright.components.palette.regression.linear_regression import LinearRegression
from modelwright.components.palette.regression.poisson_regression import PoissonRegression
from modelwright.data.fitted import Model
from modelwright.data.table import Table

CHANCE = np.random.default_rng(5)
COUNT = 80
A, B = CHANCE.normal(size=COUNT), CHANCE.normal(3, 2, COUNT)
KIND = CHANCE.choice(["x", "y", "z"], COUNT)
ROWS = pl.DataFrame(
    {
        "kind": KIND,
        "a": [None if n % 9 == 4 else v for n, v in enumerate(A)],
        "b": B,
        "number": 3 * A - B + 2 * (KIND == "y"),
        "count": CHANCE.poisson(np.exp(A / 2 + (KIND == "z"))),
        "side": np.where(A - B + 3 + CHANCE.normal(size=COUNT) > 0, "up", "down"),
        "third": np.select([A > 0.4, B > 3], ["p", "q"], "r"),
    }
)
FEATURES = ("kind", "a", "b")


def trained(learner: Learner, label: str) -> Model:
    step = TrainModel(label_column=label, model_explanation=True)
    table = Table(ROWS.select(*FEATURES, label))
    return step.run(learner.run(), table, context=Context())


def explained(model: Model) -> dict[str, Any]:
    told = model.learnt["explanation"]
    assert isinstance(told, dict)
    return told


def sums(told: dict[str, Any]) -> np.ndarray:
    return np.array([line["sum"] for line in told["sums"]])


@pytest.mark.parametrize(
    ("learner", "label", "scale", "method"),
    [
        (LinearRegression(), "number", "label", "weights"),
        (PoissonRegression(), "count", "log of the label", "weights"),
        (BoostedDecisionTreeRegression(), "number", "label", "trees"),
        (TwoClassLogisticRegression(), "side", "log-odds", "weights"),
        (TwoClassAveragedPerceptron(), "side", "log-odds", "weights"),
        (TwoClassSupportVectorMachine(), "side", "log-odds", "weights"),
        (TwoClassBoostedDecisionTree(number_of_trees_constructed=9), "side", "log-odds", "trees"),
    ],
)
def test_contributions_add_up_to_the_score(
    learner: Learner, label: str, scale: str, method: str
) -> None:
    model = trained(learner, label)
    told = explained(model)
    assert (told["scale"], told["method"], told["rows"]) == (scale, method, COUNT)
    scored = model.score(Table(ROWS.select(FEATURES))).frame.head(len(told["sums"]))
    name = "Scored Probabilities" if scale == "log-odds" else "Scored Labels"
    score = scored[name].to_numpy()
    found = sums(told)
    known = {"log-odds": 1 / (1 + np.exp(-found)), "log of the label": np.exp(found)}
    np.testing.assert_allclose(known.get(scale, found), score, rtol=1e-9, atol=1e-12)
    for line in told["sums"]:
        parts = [p["contribution"] for p in told["contributions"] if p["row"] == line["row"]]
        assert line["average"] + sum(parts) == pytest.approx(line["sum"], abs=1e-9)


@pytest.mark.parametrize(
    "learner",
    [MulticlassLogisticRegression(), MulticlassBoostedDecisionTree(number_of_trees_constructed=7)],
)
def test_contributions_to_several_classes_make_their_probabilities(learner: Learner) -> None:
    model = trained(learner, "third")
    told = explained(model)
    assert told["scale"] == "score of the class"
    rows = len({line["row"] for line in told["sums"]})
    raw = np.exp(sums(told).reshape(rows, 3))
    names = [f"Scored Probabilities_{c}" for c in "pqr"]
    scored = model.score(Table(ROWS.select(FEATURES))).frame.select(names).head(rows).to_numpy()
    np.testing.assert_allclose(raw / raw.sum(axis=1, keepdims=True), scored, rtol=1e-9)
    assert [line["score"] for line in told["sums"][:3]] == names


def test_a_linear_contribution_is_weight_times_distance_from_the_mean() -> None:
    model = trained(LinearRegression(), "number")
    weights = {
        (line["feature"], line.get("level")): line["weight"] for line in model.learnt["weights"]
    }
    share = {k: list(KIND).count(k) / COUNT for k in "xyz"}
    typical = sum(share[k] * weights["kind", k] for k in "xyz")
    for line in explained(model)["contributions"]:
        at, name = line["row"], line["feature"]
        if name == "kind":
            expected = weights["kind", KIND[at]] - typical
        else:
            mean = ROWS[name].mean()
            assert isinstance(mean, float)
            value = ROWS[name][at]
            expected = 0.0 if value is None else weights[name, None] * (value - mean)
        assert line["contribution"] == pytest.approx(expected, abs=1e-9)
        assert line["value"] == ROWS[name][at]


def test_contributions_of_trees_are_those_that_shap_finds() -> None:
    shap = pytest.importorskip("shap")
    import lightgbm

    from modelwright.components.learning.boosting import tree_matrix
    from modelwright.components.learning.encoding import learn_encoding

    model = trained(TwoClassBoostedDecisionTree(number_of_trees_constructed=9), "side")
    (native,) = model.natives.values()
    encoding = learn_encoding(ROWS, model.features)
    booster = lightgbm.Booster(model_str=native.content.decode())
    matrix = tree_matrix(encoding.encode(ROWS))
    other = shap.TreeExplainer(booster).shap_values(matrix)
    # Numbers come first in the matrix: a, b, kind.
    order = {"a": 0, "b": 1, "kind": 2}
    for line in explained(model)["contributions"]:
        expected = np.asarray(other)[line["row"], order[line["feature"]]]
        assert line["contribution"] == pytest.approx(expected, abs=1e-9)


def test_a_model_that_does_not_add_up_is_explained_by_its_probability() -> None:
    for learner in (
        TwoClassDecisionForest(number_of_decision_trees=3),
        TwoClassSupportVectorMachine(project_to_the_unit_sphere=True),
    ):
        told = explained(trained(learner, "side"))
        assert (told["method"], told["scale"]) == ("sampled orders", "the scores")
        assert [line["feature"] for line in told["features"]][-1] in FEATURES


def test_of_many_features_the_smallest_of_a_row_are_added_up() -> None:
    wide = pl.DataFrame({f"f{n}": CHANCE.normal(size=50) for n in range(30)})
    wide = wide.with_columns(y=sum(n * pl.col(f"f{n}") for n in range(30)))
    step = TrainModel(label_column="y", model_explanation=True)
    told = explained(step.run(LinearRegression().run(), Table(wide), context=Context()))
    first = [line for line in told["contributions"] if line["row"] == 0]
    assert len(first) == 21
    assert first[-1]["feature"] == "10 others"
    together = told["sums"][0]["average"] + sum(line["contribution"] for line in first)
    assert together == pytest.approx(told["sums"][0]["sum"])


def test_a_model_holds_a_sample_of_rows_with_their_scores() -> None:
    model = trained(BoostedDecisionTreeRegression(number_of_trees_constructed=5), "number")
    sample = model.learnt["sample"]
    assert len(sample) == 16
    assert set(sample[0]) == {*FEATURES, "Scored Labels"}
    frame = pl.DataFrame(sample, infer_schema_length=None)
    again = model.score(Table(frame.drop("Scored Labels"))).frame
    assert again["Scored Labels"].to_list() == frame["Scored Labels"].to_list()
    assert "sample" not in fitted(LinearRegression(), ROWS.drop("side"), "number").learnt
