"""For every setting of every learner: two values of it, and a figure that the second makes larger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import polars as pl

from modelwright.components.context import Context
from modelwright.components.learning.learner import Learner
from modelwright.components.learning.training import train
from modelwright.components.learning.unlabelled import train_unlabelled
from modelwright.components.library import library
from modelwright.data.fitted import Model
from modelwright.data.schema import Role, Task
from modelwright.data.table import Table

Settings = Mapping[str, Any]
LABELS = {
    Task.REGRESSION: "number",
    Task.QUANTILE_REGRESSION: "number",
    Task.TWO_CLASS: "two",
    Task.MULTICLASS: "three",
}
FEATURES = ("a", "b", "kind")


@cache
def rows(count: int = 300) -> pl.DataFrame:
    chance = np.random.default_rng(count)
    a, b = chance.uniform(-3, 3, count), chance.normal(size=count)
    kind = chance.choice(list("pqrstu"), count)
    number = np.abs(np.abs(a) * 2 + a + b + np.isin(kind, ["q", "t"]) * 3)
    noise = number + chance.normal(size=count)
    two = np.where(noise > 4.5, "high", "low")
    three = np.select([noise > 6, noise > 3.5], ["high", "middle"], "low")
    return pl.DataFrame(
        {"a": a, "b": b, "kind": kind, "number": number, "two": two, "three": three}
    )


@dataclass(frozen=True)
class Trial:
    """A learner with settings; `on` trains it on other rows."""

    learner: Learner
    frame: pl.DataFrame
    features: tuple[str, ...] = FEATURES

    @property
    def label(self) -> str:
        return LABELS.get(self.learner.task, "three")

    def model(self, frame: pl.DataFrame | None = None) -> Model:
        frame = self.frame if frame is None else frame
        chosen = frame.select(*self.features, self.label)
        if self.learner.task in LABELS:
            return train(self.learner, Table(chosen), self.label, Context())
        table = Table(chosen).mark(self.label, role=Role.LABEL)
        features = table.schema.drop([self.label])
        label = table.schema.column(self.label)
        return train_unlabelled(self.learner, table, features, Context(), label)

    def scores(self, model: Model, frame: pl.DataFrame | None = None) -> pl.DataFrame:
        frame = self.frame if frame is None else frame
        table = Table(frame.select(*self.features, self.label))
        return model.score(table).frame.select(model.scores.names)

    def numbers(self, frame: pl.DataFrame | None = None) -> np.ndarray:
        """The scores that are numbers, of a model trained on these rows and asked for them."""
        found = self.scores(self.model(frame), frame)
        return found.select(pl.selectors.numeric()).to_numpy().astype(float)


Figure = Callable[[Trial], float]


@dataclass(frozen=True)
class Case:
    """`figure` is larger with `more` than with `less`.  also: settings of both."""

    less: Any
    more: Any
    figure: Figure
    also: Settings = field(default_factory=dict)
    features: tuple[str, ...] = FEATURES


def closeness(trial: Trial) -> float:
    """How well the rows of training are told, by absolute errors or by the likelihood of the truth."""
    found = trial.scores(trial.model())
    truth = trial.frame[trial.label]
    if trial.learner.task is Task.TWO_CLASS:
        likely = found["Scored Probabilities"].to_numpy()
        likely = np.where((truth == "low").to_numpy(), likely, 1 - likely)
        return float(np.log(np.clip(likely, 1e-9, 1)).mean())
    if trial.learner.task is Task.MULTICLASS:
        each = [found[f"Scored Probabilities_{name}"].to_numpy() for name in sorted(set(truth))]
        at = np.searchsorted(sorted(set(truth)), truth.to_list())
        return float(np.log(np.clip(np.array(each)[at, np.arange(len(at))], 1e-9, 1)).mean())
    name = "Scored Labels" if "Scored Labels" in found.columns else "Scored Quantile 0.5"
    return -float((found[name] - truth).abs().mean())  # type: ignore[arg-type]


def squared_closeness(trial: Trial) -> float:
    """What least squares make least."""
    found = trial.scores(trial.model())["Scored Labels"].to_numpy()
    return -float(((found - trial.frame[trial.label].to_numpy()) ** 2).mean())


def trees(trial: Trial) -> list[dict[str, Any]]:
    import lightgbm

    (native,) = trial.model().natives.values()
    found: list[dict[str, Any]] = lightgbm.Booster(model_str=native.content.decode()).dump_model()[
        "tree_info"
    ]
    return found


def leaf_counts(node: dict[str, Any]) -> list[int]:
    if "leaf_count" in node:
        return [node["leaf_count"]]
    return leaf_counts(node["left_child"]) + leaf_counts(node["right_child"])


def most_leaves(trial: Trial) -> float:
    return max(int(tree["num_leaves"]) for tree in trees(trial))


def smallest_leaf(trial: Trial) -> float:
    return min(min(leaf_counts(tree["tree_structure"])) for tree in trees(trial))


def tree_count(trial: Trial) -> float:
    return len(trees(trial))


def forest(trial: Trial) -> Any:
    return trial.model().natives["forest"].evaluator


def roots(trial: Trial) -> float:
    return len(forest(trial)._roots)


def leaves(trial: Trial) -> float:
    return len(forest(trial)._figures)


def rootward(trial: Trial) -> float:
    """How many trees ask first for the same thing as most do."""
    found = forest(trial)
    asked = np.array([found._test[root] for root in found._roots])
    return float(np.unique(asked, return_counts=True)[1].max() / len(asked))


def unscored(trial: Trial) -> float:
    strange = trial.frame.with_columns(kind=pl.lit("never seen"))
    return trial.scores(trial.model(), strange)["Scored Labels"].null_count()


def steps(trial: Trial) -> float:
    found: int = trial.model().learnt["steps"]
    return found


def weights(trial: Trial) -> list[float]:
    return [line["weight"] for line in trial.model().learnt["weights"] if "weight" in line]


def zeros(trial: Trial) -> float:
    return sum(w == 0 for w in weights(trial))


def smallness(trial: Trial) -> float:
    return -float(np.abs(weights(trial)).sum())


def size(trial: Trial) -> float:
    return -smallness(trial)


def at_zero(trial: Trial) -> float:
    zero = trial.frame.with_columns(a=pl.lit(0.0), b=pl.lit(0.0))
    return float(np.abs(trial.scores(trial.model(), zero).to_numpy()).max())


def arrays(trial: Trial) -> Mapping[str, np.ndarray]:
    evaluator: Any = trial.model().natives["network"].evaluator
    found: Mapping[str, np.ndarray] = evaluator._arrays
    return found


def nodes(trial: Trial) -> float:
    return int(arrays(trial)["hidden"].shape[1])


def spread(trial: Trial) -> float:
    return float(np.abs(arrays(trial)["hidden"]).max())


def moved(trial: Trial) -> float:
    """How far the weights came from where they started."""
    still = trial.learner.with_values({"learning_rate": 1e-12})
    start = arrays(Trial(still, trial.frame))["output"]
    return float(np.abs(arrays(trial)["output"] - start).sum())


def unit_free(trial: Trial) -> float:
    """How little it matters that a feature is told in other units."""
    told = trial.frame.with_columns(pl.col("a") * 0.01)
    return -float(np.abs(trial.numbers() - trial.numbers(told)).mean())


def level_free(trial: Trial) -> float:
    """How little it matters that a feature is measured from another zero."""
    told = trial.frame.with_columns(pl.col("a") + 50)
    return -float(np.abs(trial.numbers() - trial.numbers(told)).mean())


def length_free(trial: Trial) -> float:
    """How little it matters that a row is longer."""
    model = trial.model()
    longer = trial.frame.with_columns(pl.col("a") * 7, pl.col("b") * 7)
    near = trial.scores(model)["Scored Probabilities"]
    far = trial.scores(model, longer)["Scored Probabilities"]
    return -float((near - far).abs().max())  # type: ignore[arg-type]


def order_matters(trial: Trial) -> float:
    """Whether another seed gives another model, though all weights start at nearly nothing."""
    other = trial.learner.with_values({"random_number_seed": 7})
    near, far = trial.numbers(), Trial(other, trial.frame, trial.features).numbers()
    return float(np.abs(near - far).max())


def clusters(trial: Trial) -> float:
    return len(trial.model().learnt["centroids"])


def passes(trial: Trial) -> float:
    found: int = trial.model().learnt["passes"]
    return found


def apart(trial: Trial) -> float:
    """How far the centres lie apart that the rows were given in a single pass."""
    means = [
        line["mean"] for c in trial.model().learnt["centroids"] for line in c if "mean" in line
    ]
    return float(np.std(means))


def label_is_scored(trial: Trial) -> float:
    return trial.label in trial.model().scores.names


def explained(trial: Trial) -> float:
    return -float(trial.model().learnt["usual_error"])


def captured(trial: Trial) -> float:
    """How much of rows that spread alike in every direction the components hold."""
    chance = np.random.default_rng(5)
    names = [f"x{at}" for at in range(30)]
    wide = chance.normal(size=(200, 30)) * np.linspace(1.3, 1.0, 30)
    frame = pl.DataFrame(wide, schema=names).with_columns(three=pl.lit("x"))
    model = Trial(trial.learner, frame, tuple(names)).model()
    total = 0.0
    for component in model.learnt["components"]:
        direction = {line["feature"]: line["weight"] for line in component}
        total += float(((wide - wide.mean(0)) @ [direction[n] for n in names]).var())
    return total


def quantiles(trial: Trial) -> float:
    return len(trial.model().scores)


def distinct(trial: Trial) -> float:
    """How many leaves the rows that a tree has drawn can fill, all grown to the end."""
    return leaves(trial)


class Seeded:
    """Another seed gives another model, and the same seed the same."""

    def __init__(self, **also: Any) -> None:
        self.also = also


_BOOSTED: dict[str, Case | Seeded] = {
    "maximum_number_of_leaves_per_tree": Case(
        3, 9, most_leaves, {"number_of_trees_constructed": 4}
    ),
    "minimum_number_of_samples_per_leaf_node": Case(
        1, 35, smallest_leaf, {"number_of_trees_constructed": 2}
    ),
    "learning_rate": Case(0.01, 0.3, closeness, {"number_of_trees_constructed": 10}),
    "number_of_trees_constructed": Case(3, 9, tree_count),
    "random_number_seed": Seeded(number_of_trees_constructed=3),
}
_ALL_ROWS = {"resampling_method": "Replicate"}
_FOREST: dict[str, Case | Seeded] = {
    "resampling_method": Case("Bagging", "Replicate", closeness, {"number_of_decision_trees": 1}),
    "number_of_decision_trees": Case(2, 5, roots),
    "maximum_depth_of_the_decision_trees": Case(2, 10, leaves),
    # The best of many questions tells more apart than one drawn blindly.
    "number_of_random_splits_per_node": Case(
        1, 300, closeness, {**_ALL_ROWS, "maximum_depth_of_the_decision_trees": 3}
    ),
    "minimum_number_of_samples_per_leaf_node": Case(40, 1, leaves, _ALL_ROWS),
}
_FREE = {"l1_regularization_weight": 0.0, "l2_regularization_weight": 0.1}
_WEIGHTED: dict[str, Case | Seeded] = {
    "optimization_tolerance": Case(1e-1, 1e-9, steps),
    "l1_regularization_weight": Case(0.0, 30.0, zeros),
    "l2_regularization_weight": Case(0.1, 100.0, smallness, {"l1_regularization_weight": 0.0}),
}
_MEMORY: dict[str, Case | Seeded] = {"memory_size_for_l_bfgs": Case(30, 1, steps, _FREE)}
_QUICK = {"number_of_hidden_nodes": 8, "number_of_learning_iterations": 6}
_NETWORK: dict[str, Case | Seeded] = {
    "number_of_hidden_nodes": Case(3, 9, nodes, {"number_of_learning_iterations": 1}),
    "learning_rate": Case(1e-5, 0.01, closeness, _QUICK),
    "number_of_learning_iterations": Case(1, 40, closeness, {"learning_rate": 0.01}),
    "the_initial_learning_weights_diameter": Case(
        0.1, 4.0, spread, {**_QUICK, "learning_rate": 1e-12}
    ),
    "the_momentum": Case(0.0, 0.9, moved, {**_QUICK, "learning_rate": 0.001}),
    "shuffle_examples": Case(
        False,
        True,
        order_matters,
        {**_QUICK, "the_initial_learning_weights_diameter": 1e-7, "learning_rate": 0.01},
    ),
    "random_number_seed": Seeded(**_QUICK),
}
_DESCENT: dict[str, Any] = {"solution_method": "Online Gradient Descent"}

CASES: dict[str, dict[str, Case | Seeded]] = {
    "boosted-decision-tree-regression": _BOOSTED,
    "two-class-boosted-decision-tree": _BOOSTED,
    "multiclass-boosted-decision-tree": _BOOSTED,
    "decision-forest-regression": _FOREST,
    "two-class-decision-forest": {
        **_FOREST,
        "allow_unknown_values_for_categorical_features": Case(True, False, unscored),
    },
    "multiclass-decision-forest": _FOREST,
    "two-class-logistic-regression": {
        **_WEIGHTED,
        **_MEMORY,
        "random_number_seed": Seeded(optimization_tolerance=1e-2),
    },
    "multiclass-logistic-regression": {
        **_WEIGHTED,
        "random_number_seed": Seeded(optimization_tolerance=1e-2),
    },
    "poisson-regression": {**_WEIGHTED, **_MEMORY},
    "neural-network-regression": _NETWORK,
    "two-class-neural-network": _NETWORK,
    "multiclass-neural-network": _NETWORK,
    "two-class-averaged-perceptron": {
        "learning_rate": Case(0.001, 1.0, size),
        "maximum_number_of_iterations": Case(1, 30, size, {"learning_rate": 0.001}),
        "random_number_seed": Seeded(),
    },
    "two-class-support-vector-machine": {
        "number_of_iterations": Case(1, 100, closeness, {"random_number_seed": 3}),
        "lambda_weight": Case(1e-3, 10.0, smallness),
        "normalize_features": Case(False, True, unit_free, features=("a", "b")),
        "project_to_the_unit_sphere": Case(
            False, True, length_free, {"normalize_features": False}, features=("a", "b")
        ),
        "random_number_seed": Seeded(),
    },
    "k-means-clustering": {
        "number_of_centroids": Case(2, 4, clusters),
        "initialization": Case("Random", "First N", apart, {"iterations": 1}),
        "random_number_seed": Seeded(iterations=1, initialization="Random"),
        "iterations": Case(1, 20, passes, {"number_of_centroids": 4}),
        "assign_label_mode": Case(
            "Ignore label column", "Overwrite from closest to center", label_is_scored
        ),
        "normalize_features": Case(False, True, unit_free, features=("a", "b")),
    },
    "pca-based-anomaly-detection": {
        "number_of_components": Case(1, 4, explained),
        "oversampling": Case(1, 20, captured),
        "enable_input_feature_mean_normalization": Case(
            False, True, level_free, {"number_of_components": 1}
        ),
    },
    "fast-forest-quantile-regression": {
        "number_of_trees": Case(3, 8, roots),
        "number_of_leaves": Case(4, 16, leaves, {"number_of_trees": 5}),
        "minimum_number_of_training_instances_required_to_form_a_leaf": Case(
            60, 1, leaves, {"number_of_trees": 5}
        ),
        "bagging_fraction": Case(
            0.05, 1.0, distinct, {"number_of_trees": 5, "number_of_leaves": 10_000}
        ),
        "split_fraction": Case(0.1, 1.0, rootward),
        "quantiles_to_be_estimated": Case("0.5", "0.1;0.5;0.9", quantiles),
        "random_number_seed": Seeded(number_of_trees=3),
    },
    "linear-regression": {
        "solution_method": Case(
            "Online Gradient Descent",
            "Ordinary Least Squares",
            squared_closeness,
            {"l2_regularization_weight": 0.0},
        ),
        "learning_rate": Case(0.001, 0.1, closeness, {**_DESCENT, "number_of_training_epochs": 1}),
        "number_of_training_epochs": Case(1, 30, closeness, {**_DESCENT, "learning_rate": 0.01}),
        "normalize_features": Case(
            False, True, unit_free, {**_DESCENT, "learning_rate": 0.02}, features=("a", "b")
        ),
        "l2_regularization_weight": Case(0.0, 1000.0, smallness),
        "include_intercept_term": Case(False, True, at_zero, features=("a", "b")),
        "decrease_learning_rate": Case(True, False, closeness, {**_DESCENT, "learning_rate": 0.01}),
        "random_number_seed": Seeded(**_DESCENT),
    },
    "one-vs-all-multiclass": {},
    "one-vs-one-multiclass": {},
}


def trial(
    component_id: str,
    settings: Settings,
    features: tuple[str, ...] = FEATURES,
) -> Trial:
    """A learner of the library with settings."""
    found = library().find(component_id).parse(dict(settings))
    assert isinstance(found, Learner)
    return Trial(found, rows(300), features)
