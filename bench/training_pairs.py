"""Learners, and the library that each stands on with equal settings, for `bench.training`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelwright.components.learning.boosting import (
    DRAWN_INPUTS,
    DRAWN_ROWS,
    LEAF_PENALTY,
    LEAF_PENALTY_OF_CLASSES,
)
from modelwright.components.learning.learner import TrainingData

MILLION = 1_000_000
TREES = 10
PASSES = 5


@dataclass(frozen=True)
class Pair:
    """A learner and the library that it stands on, with equal settings.

    matrix: what the library is given, of the rows as the learner has them; fit: of it, and of the
    label.  rows: fewer where the library itself takes minutes.  note: what the settings are.
    """

    id: str
    settings: dict[str, Any]
    label: str
    library: str
    matrix: Callable[[TrainingData], Any]
    fit: Callable[[Any, Any], Any]
    rows: int = MILLION
    note: str = ""


def columns(data: TrainingData) -> np.ndarray:
    """The rows column by column, as trees and solvers read them."""
    from modelwright.components.learning.boosting import tree_matrix

    return tree_matrix(data.encoded)


def scaled(data: TrainingData) -> np.ndarray:
    """The rows one after the other, in units of their deviation, as methods of small steps read them."""
    matrix = columns(data)
    return np.ascontiguousarray((matrix - matrix.mean(axis=0)) / matrix.std(axis=0))


def of_length_one(data: TrainingData) -> np.ndarray:
    """The rows one after the other, each number in an interval of length 1, as the perceptron reads them."""
    from modelwright.components.learning.design import Design, Scaling

    return Design(data.encoded, Scaling.unit(data.encoded.encoding.numbers)).dense()


def questions(splits: int) -> Callable[[TrainingData], np.ndarray]:
    """What the nodes of a decision forest may ask for."""

    def matrix(data: TrainingData) -> np.ndarray:
        from modelwright.components.learning.forests import Answers, random_questions

        chance = np.random.default_rng(0)
        asked, repeats = random_questions(data.encoded.encoding, splits, chance)
        return Answers(asked, repeats, data.encoded).matrix

    return matrix


def in_order(data: TrainingData) -> np.ndarray:
    """What the nodes of a quantile forest may ask for."""
    from modelwright.components.learning.forests import Answers, ordered_questions

    return Answers(ordered_questions(data.encoded, data.target), 1, data.encoded).matrix


def boosted(objective: str, **more: Any) -> Callable[[Any, Any], Any]:
    """LightGBM with the settings of our learner."""

    def fit(matrix: Any, target: Any) -> Any:
        import lightgbm

        settings = {
            "objective": objective,
            "num_leaves": 20,
            "min_data_in_leaf": 1,
            "learning_rate": 0.2,
            "lambda_l2": LEAF_PENALTY,
            "bagging_fraction": DRAWN_ROWS,
            "bagging_freq": 1,
            "feature_fraction_bynode": DRAWN_INPUTS,
            "deterministic": True,
            "force_col_wise": True,
            "verbosity": -1,
            "num_threads": 1,
            **more,
        }
        return lightgbm.train(settings, lightgbm.Dataset(matrix, target), TREES)

    return fit


def estimator(make: Callable[[int], Any]) -> Callable[[Any, Any], Any]:
    """A scikit-learn estimator, made of the number of rows."""
    return lambda matrix, target: make(len(matrix)).fit(matrix, target)


def once_through(network: Any, matrix: Any, target: Any) -> Any:
    """A network after one pass, which the library thinks too few."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return network.fit(matrix, target)


def pairs() -> tuple[Pair, ...]:
    """Every learner of the library that stands alone."""
    from sklearn import cluster, decomposition, ensemble, linear_model, neural_network

    trees = f"{TREES} trees"
    short = {"number_of_trees_constructed": TREES}
    few = {"number_of_decision_trees": 2, "maximum_depth_of_the_decision_trees": 12}
    forest = {"max_features": 128, "bootstrap": True, "max_depth": 12, "random_state": 0}
    small, fewer = 100_000, "2 trees, 12 deep"
    net = {
        "hidden_layer_sizes": (100,),
        "activation": "tanh",
        "solver": "sgd",
        "batch_size": 200,
        "learning_rate_init": 0.1,
        "momentum": 0.0,
        "max_iter": 1,
        "random_state": 0,
    }
    once, one = {"number_of_learning_iterations": 1}, "1 pass"
    descent = {"loss": "hinge", "tol": None, "max_iter": PASSES, "average": True, "random_state": 0}

    def margin(**more: Any) -> Callable[[Any, Any], Any]:
        return estimator(lambda rows: linear_model.SGDClassifier(**descent, **more))

    def of_classes(name: str, label: str) -> tuple[Pair, ...]:
        """The learners that are the same for two classes and for several."""
        return (
            Pair(
                f"{name}-decision-forest",
                few,
                label,
                "ExtraTreesClassifier",
                questions(128),
                estimator(
                    lambda rows: ensemble.ExtraTreesClassifier(2, criterion="entropy", **forest)
                ),
                rows=small,
                note=fewer,
            ),
            Pair(
                f"{name}-neural-network",
                once,
                label,
                "MLPClassifier",
                scaled,
                lambda matrix, target: once_through(
                    neural_network.MLPClassifier(**net), matrix, target
                ),
                note=one,
            ),
        )

    return (
        Pair(
            "linear-regression",
            {},
            "number",
            "Ridge",
            columns,
            estimator(lambda rows: linear_model.Ridge(alpha=1.0)),
        ),
        Pair(
            "poisson-regression",
            {},
            "count",
            "PoissonRegressor",
            columns,
            estimator(lambda rows: linear_model.PoissonRegressor(alpha=1 / rows, max_iter=1000)),
        ),
        Pair(
            "boosted-decision-tree-regression",
            short,
            "number",
            "lightgbm.train",
            columns,
            boosted("regression"),
            note=trees,
        ),
        Pair(
            "decision-forest-regression",
            few,
            "number",
            "ExtraTreesRegressor",
            questions(128),
            estimator(lambda rows: ensemble.ExtraTreesRegressor(2, **forest)),
            rows=small,
            note=fewer,
        ),
        Pair(
            "fast-forest-quantile-regression",
            {"number_of_trees": 4},
            "number",
            "RandomForestRegressor",
            in_order,
            estimator(
                lambda rows: ensemble.RandomForestRegressor(
                    4,
                    max_leaf_nodes=20,
                    max_samples=0.7,
                    max_features=0.7,
                    random_state=0,
                )
            ),
            rows=small,
            note="4 trees",
        ),
        Pair(
            "neural-network-regression",
            once,
            "number",
            "MLPRegressor",
            scaled,
            lambda matrix, target: once_through(
                neural_network.MLPRegressor(**net),
                matrix,
                (target - target.mean()) / target.std(),
            ),
            note=one,
        ),
        Pair(
            "two-class-logistic-regression",
            {},
            "side",
            "LogisticRegression",
            columns,
            estimator(lambda rows: linear_model.LogisticRegression(max_iter=1000)),
        ),
        Pair(
            "two-class-averaged-perceptron",
            {"maximum_number_of_iterations": PASSES},
            "side",
            "SGDClassifier",
            of_length_one,
            margin(penalty=None, learning_rate="constant", eta0=1.0),
            note=f"{PASSES} passes",
        ),
        Pair(
            "two-class-support-vector-machine",
            {"number_of_iterations": PASSES},
            "side",
            "SGDClassifier",
            scaled,
            margin(penalty="l2", alpha=0.001),
            note=f"{PASSES} passes",
        ),
        Pair(
            "two-class-boosted-decision-tree",
            short,
            "side",
            "lightgbm.train",
            columns,
            boosted("binary"),
            note=trees,
        ),
        *of_classes("two-class", "side"),
        Pair(
            "multiclass-logistic-regression",
            {},
            "kind",
            "LogisticRegression",
            columns,
            estimator(lambda rows: linear_model.LogisticRegression(max_iter=1000)),
        ),
        Pair(
            "multiclass-boosted-decision-tree",
            short,
            "kind",
            "lightgbm.train",
            columns,
            boosted(
                "multiclass",
                num_class=3,
                num_leaves=31,
                learning_rate=0.1,
                lambda_l2=LEAF_PENALTY_OF_CLASSES,
            ),
            note=trees,
        ),
        *of_classes("multiclass", "kind"),
        Pair(
            "k-means-clustering",
            {"number_of_centroids": 5, "iterations": 10},
            "",
            "KMeans",
            lambda data: np.ascontiguousarray(columns(data)),
            lambda matrix, target: cluster.KMeans(
                5, n_init=1, max_iter=10, tol=0.0, algorithm="lloyd", random_state=0
            ).fit(matrix),
            note="5 centroids, 10 passes",
        ),
        Pair(
            "pca-based-anomaly-detection",
            {},
            "",
            "PCA, randomized",
            columns,
            lambda matrix, target: decomposition.PCA(
                2, svd_solver="randomized", n_oversamples=2, iterated_power=1, random_state=0
            ).fit(matrix),
            note="2 components",
        ),
    )
