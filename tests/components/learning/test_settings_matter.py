"""Settings that several learners share change the fit of each in the direction they say."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.components.learning.trials import fitted, scored

from modelwright.components.learning.learner import Learner
from modelwright.components.palette.classification.multiclass_boosted_decision_tree import (
    MulticlassBoostedDecisionTree,
)
from modelwright.components.palette.classification.multiclass_decision_forest import (
    MulticlassDecisionForest,
)
from modelwright.components.palette.classification.multiclass_neural_network import (
    MulticlassNeuralNetwork,
)
from modelwright.components.palette.classification.two_class_boosted_decision_tree import (
    TwoClassBoostedDecisionTree,
)
from modelwright.components.palette.classification.two_class_decision_forest import (
    TwoClassDecisionForest,
)
from modelwright.components.palette.classification.two_class_neural_network import (
    TwoClassNeuralNetwork,
)
from modelwright.components.palette.regression.boosted_decision_tree_regression import (
    BoostedDecisionTreeRegression,
)
from modelwright.data.fitted import Model

BOOSTED: Any = [
    (BoostedDecisionTreeRegression, "number"),
    (TwoClassBoostedDecisionTree, "two"),
    (MulticlassBoostedDecisionTree, "three"),
]
FORESTS: Any = [(TwoClassDecisionForest, "two"), (MulticlassDecisionForest, "three")]
NETWORKS: Any = [(TwoClassNeuralNetwork, "two"), (MulticlassNeuralNetwork, "three")]


def rows(count: int = 400) -> pl.DataFrame:
    chance = np.random.default_rng(count)
    a, b = chance.uniform(-3, 3, count), chance.normal(size=count)
    kind = chance.choice(list("pqrstu"), count)
    number = np.abs(a) * 2 + b + np.isin(kind, ["q", "t"]) * 3
    noise = number + chance.normal(size=count)
    two = np.where(noise > 4.5, "high", "low")
    three = np.select([noise > 6, noise > 3.5], ["high", "middle"], "low")
    return pl.DataFrame(
        {"a": a, "b": b, "kind": kind, "number": number, "two": two, "three": three}
    )


def model_of(learner: type[Learner], label: str, **settings: Any) -> Model:
    frame = rows().select("a", "b", "kind", label)
    return fitted(learner.model_validate(settings), frame, label)


def trees(model: Model) -> list[dict[str, Any]]:
    import lightgbm

    (native,) = model.natives.values()
    booster = lightgbm.Booster(model_str=native.content.decode())
    found: list[dict[str, Any]] = booster.dump_model()["tree_info"]
    return found


def leaf_counts(node: dict[str, Any]) -> list[int]:
    if "leaf_count" in node:
        return [node["leaf_count"]]
    return leaf_counts(node["left_child"]) + leaf_counts(node["right_child"])


@pytest.mark.parametrize(("learner", "label"), BOOSTED)
def test_no_boosted_tree_has_more_leaves_than_allowed(learner: type[Learner], label: str) -> None:
    for most in (3, 9):
        model = model_of(
            learner,
            label,
            maximum_number_of_leaves_per_tree=most,
            number_of_trees_constructed=4,
        )
        assert max(tree["num_leaves"] for tree in trees(model)) == most


@pytest.mark.parametrize(("learner", "label"), BOOSTED)
def test_every_leaf_of_a_boosted_tree_holds_the_rows_asked_for(
    learner: type[Learner], label: str
) -> None:
    for fewest in (1, 35):
        model = model_of(
            learner,
            label,
            minimum_number_of_samples_per_leaf_node=fewest,
            number_of_trees_constructed=2,
        )
        counts = [c for t in trees(model) for c in leaf_counts(t["tree_structure"])]
        # LightGBM counts the rows of a leaf by their weights, which is a little off for classes.
        assert min(counts) >= 0.8 * fewest
        assert (min(counts) < 0.8 * 35) == (fewest == 1)


@pytest.mark.parametrize(("learner", "label"), BOOSTED)
def test_there_are_as_many_boosted_trees_as_asked_for(learner: type[Learner], label: str) -> None:
    classes = 3 if label == "three" else 1
    model = model_of(learner, label, number_of_trees_constructed=5)
    assert len(trees(model)) == 5 * classes


def forest(model: Model) -> Any:
    return model.natives["forest"].evaluator


def leaves(model: Model) -> int:
    return len(forest(model)._figures)


def right(model: Model, frame: pl.DataFrame) -> float:
    label = model.label.name if model.label else ""
    return float(np.mean((scored(model, frame)["Scored Labels"] == frame[label]).to_numpy()))


@pytest.mark.parametrize(("learner", "label"), FORESTS)
def test_each_setting_of_a_forest_of_classes_acts(learner: type[Learner], label: str) -> None:
    assert len(forest(model_of(learner, label, number_of_decision_trees=3))._roots) == 3
    # A tree of two questions in a row has four leaves at most.
    shallow = model_of(learner, label, maximum_depth_of_the_decision_trees=2)
    assert leaves(shallow) <= 8 * 4 < leaves(model_of(learner, label))
    whole: dict[str, Any] = {"resampling_method": "Replicate"}
    coarse = model_of(learner, label, minimum_number_of_samples_per_leaf_node=40, **whole)
    assert leaves(coarse) <= 8 * 400 / 40 < leaves(model_of(learner, label, **whole))
    # Fully grown on all rows, the trees know each by heart; on drawn rows they do not.
    one: dict[str, Any] = {"number_of_random_splits_per_node": 1, "number_of_decision_trees": 1}
    frame = rows()
    assert right(model_of(learner, label, **whole, **one), frame) == 1.0
    assert right(model_of(learner, label, **one), frame) < 1.0


@pytest.mark.parametrize(("learner", "label"), FORESTS)
def test_more_questions_at_a_node_make_smaller_trees(learner: type[Learner], label: str) -> None:
    few, many = (
        model_of(learner, label, resampling_method="Replicate", number_of_random_splits_per_node=n)
        for n in (1, 300)
    )
    # The best of many questions tells more apart than one drawn blindly.
    assert leaves(many) < 0.8 * leaves(few)


def arrays(model: Model) -> dict[str, np.ndarray]:
    evaluator: Any = model.natives["network"].evaluator
    found: dict[str, np.ndarray] = evaluator._arrays
    return found


@pytest.mark.parametrize(("learner", "label"), NETWORKS)
def test_each_setting_of_a_network_of_classes_acts(learner: type[Learner], label: str) -> None:
    def network(**settings: Any) -> Model:
        plain = {"number_of_hidden_nodes": 12, "number_of_learning_iterations": 3}
        return model_of(learner, label, **{**plain, **settings})

    assert arrays(network(number_of_hidden_nodes=5))["hidden"].shape[1] == 5
    frame = rows()
    slow, fast = (
        network(learning_rate=rate, number_of_learning_iterations=80) for rate in (1e-6, 0.1)
    )
    assert right(fast, frame) > right(slow, frame) + 0.1
    early = network(learning_rate=0.1, number_of_learning_iterations=1)
    assert right(fast, frame) > right(early, frame)
    narrow, wide = (
        network(learning_rate=1e-12, the_initial_learning_weights_diameter=d) for d in (0.1, 4.0)
    )
    assert np.abs(arrays(narrow)["hidden"]).max() <= 0.05 + 1e-9
    assert np.abs(arrays(wide)["hidden"]).max() > 0.5
    start = arrays(network(learning_rate=1e-12))["output"]
    calm, driven = (
        np.abs(arrays(network(learning_rate=0.001, the_momentum=m))["output"] - start).sum()
        for m in (0.0, 0.9)
    )
    assert driven > 2 * calm
    contents = [
        network(**settings).natives["network"].content
        for settings in (
            {},
            {"random_number_seed": 1},
            {"shuffle_examples": False},
            {"shuffle_examples": False},
        )
    ]
    assert contents[2] == contents[3]
    assert len(set(contents)) == 3
