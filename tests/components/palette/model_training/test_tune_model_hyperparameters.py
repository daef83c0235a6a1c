from __future__ import annotations

import json
import pickle
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
import pytest

from modelwright.components.context import Context
from modelwright.components.errors import EmptyTable, InvalidParameter, MissingExtra
from modelwright.components.learning.errors import NoLabelColumn, SchemaMismatch, WrongLearner
from modelwright.components.learning.learner import Learner
from modelwright.components.learning.sweep import (
    GridTooLarge,
    NothingToTune,
    entire_grid,
    random_grid,
    random_sweep,
)
from modelwright.components.learning.training import train
from modelwright.components.outline import outline_of
from modelwright.components.palette.classification.one_vs_one_multiclass import (
    OneVsOneMulticlass,
)
from modelwright.components.palette.classification.two_class_boosted_decision_tree import (
    TwoClassBoostedDecisionTree,
)
from modelwright.components.palette.classification.two_class_logistic_regression import (
    TwoClassLogisticRegression,
)
from modelwright.components.palette.clustering.k_means_clustering import KMeansClustering
from modelwright.components.palette.model_training.tune_model_hyperparameters import (
    Tuned,
    TuneModelHyperparameters,
)
from modelwright.components.palette.regression.fast_forest_quantile_regression import (
    FastForestQuantileRegression,
)
from modelwright.components.palette.regression.linear_regression import LinearRegression
from modelwright.components.palette.regression.poisson_regression import PoissonRegression
from modelwright.components.parameters import Range
from modelwright.data.table import Table

RANGED = TwoClassLogisticRegression(
    create_trainer_mode="ParameterRange",
    optimization_tolerance_range=Range(values=(1e-6,)),
    l1_regularization_weight_range=Range(values=(0, 1000)),
    l2_regularization_weight_range=Range(minimum=0.1, maximum=10, steps=3, scale="log"),
    memory_size_for_l_bfgs_range=Range(values=(10,)),
)


def rows(count: int = 120) -> Table:
    chance = np.random.default_rng(count)
    a, b = chance.normal(size=count), chance.normal(size=count)
    side = a - b + chance.normal(0, 0.3, count) > 0
    return Table(
        pl.DataFrame({"a": a, "b": b, "y": np.exp(a), "side": np.where(side, "up", "down")})
    )


def tuned(
    learner: Learner = RANGED,
    table: Table | None = None,
    validation: Table | None = None,
    **parameters: Any,
) -> Tuned:
    step = TuneModelHyperparameters(**{"label_column": "side", **parameters})
    return step.run(learner.run(), table or rows(), validation, context=Context())


def test_the_grid_holds_every_combination() -> None:
    grid = entire_grid(RANGED)
    assert len(grid) == 6
    assert [s["l2_regularization_weight"] for s in grid[:3]] == pytest.approx([0.1, 1.0, 10.0])
    assert {s["memory_size_for_l_bfgs"] for s in grid} == {10}


def test_a_random_grid_repeats_nothing_and_ends_with_the_grid() -> None:
    some = random_grid(RANGED, 4, seed=1)
    assert len({tuple(s.items()) for s in some}) == 4
    assert len(random_grid(RANGED, 100, seed=1)) == 6
    assert random_grid(RANGED, 4, seed=1) == some
    assert random_grid(RANGED, 4, seed=2) != some


def test_a_random_sweep_draws_from_lists_and_within_spans() -> None:
    drawn = random_sweep(RANGED, 200, seed=0)
    assert {s["l1_regularization_weight"] for s in drawn} == {0, 1000}
    weights = np.array([s["l2_regularization_weight"] for s in drawn])
    assert weights.min() >= 0.1
    assert weights.max() <= 10
    assert len(set(weights)) > 100
    # On a logarithmic scale as many lie below the middle as above.
    assert 70 < (weights < 1).sum() < 130
    assert random_sweep(RANGED, 5, seed=0) == drawn[:5]


def test_whole_numbers_are_drawn_whole() -> None:
    learner = TwoClassBoostedDecisionTree(
        create_trainer_mode="ParameterRange",
        number_of_trees_constructed_range=Range(minimum=5, maximum=50, steps=2),
    )
    drawn = {s["number_of_trees_constructed"] for s in random_sweep(learner, 50, seed=0)}
    assert all(isinstance(n, int) and 5 <= n <= 50 for n in drawn)
    assert len(drawn) > 10


def test_fixed_values_are_ignored_for_the_ranges_the_learner_comes_with() -> None:
    learner = TwoClassLogisticRegression(l2_regularization_weight=77, random_number_seed=3)
    found = tuned(learner, mode="Random grid", runs=3)
    assert 77 not in found.sweep_results.frame["L2 regularization weight"].to_list()
    settings = found.trained_best_model.learnt["settings"]
    assert settings["random_number_seed"] == 3
    assert settings["l2_regularization_weight"] in (0.01, 0.1, 1.0)


def test_only_parameters_that_matter_are_tried() -> None:
    assert entire_grid(LinearRegression()) == [
        {"l2_regularization_weight": w} for w in (0.1, 1.0, 10.0)
    ]


def test_results_list_settings_and_all_metrics_the_best_first() -> None:
    found = tuned(mode="Entire grid", classification_metric="AUC").sweep_results.frame
    assert found.columns == [
        "Optimization tolerance",
        "L1 regularization weight",
        "L2 regularization weight",
        "Memory size for L-BFGS",
        "Accuracy",
        "Precision",
        "Recall",
        "F1 Score",
        "AUC",
        "Average Log Loss",
        "Training Log Loss",
    ]
    assert found.height == 6
    areas = found["AUC"].to_list()
    assert areas == sorted(areas, reverse=True)
    # With an L1 weight of 1000 nothing is learnt.
    assert found["L1 regularization weight"].to_list()[-3:] == [1000.0] * 3


def test_the_best_settings_are_trained_on_all_rows() -> None:
    found = tuned(mode="Entire grid", classification_metric="Average Log Loss")
    losses = found.sweep_results.frame["Average Log Loss"].to_list()
    assert losses == sorted(losses)
    best = found.sweep_results.frame.row(0, named=True)
    expected = train(
        TwoClassLogisticRegression(
            optimization_tolerance=best["Optimization tolerance"],
            l1_regularization_weight=best["L1 regularization weight"],
            l2_regularization_weight=best["L2 regularization weight"],
            memory_size_for_l_bfgs=best["Memory size for L-BFGS"],
        ),
        rows(),
        "side",
        Context(),
    )
    assert found.trained_best_model.formula == expected.formula


@pytest.mark.parametrize(
    ("metric", "column", "rising"),
    [
        ("Mean absolute error", "Mean_Absolute_Error", True),
        ("Root of mean squared error", "Root_Mean_Squared_Error", True),
        ("Relative absolute error", "Relative_Absolute_Error", True),
        ("Relative squared error", "Relative_Squared_Error", True),
        ("Coefficient of determination", "Coefficient_of_Determination", False),
    ],
)
def test_numbers_are_ranked_by_the_chosen_metric(metric: str, column: str, rising: bool) -> None:
    found = tuned(
        PoissonRegression(), label_column="y", regression_metric=metric, mode="Random grid", runs=6
    )
    values = found.sweep_results.frame[column].to_list()
    assert values == sorted(values, reverse=not rising)


@pytest.mark.parametrize(
    ("metric", "column", "rising"),
    [
        ("Accuracy", "Accuracy", False),
        ("Precision", "Precision", False),
        ("Recall", "Recall", False),
        ("F-score", "F1 Score", False),
        ("AUC", "AUC", False),
        ("Average Log Loss", "Average Log Loss", True),
    ],
)
def test_two_classes_are_ranked_by_the_chosen_metric(
    metric: str, column: str, rising: bool
) -> None:
    ranges = {
        "l1_regularization_weight_range": Range(values=(0, 3, 10, 30)),
        "l2_regularization_weight_range": Range(values=(0.1, 100)),
    }
    learner = RANGED.model_copy(update=ranges)
    doubtful = rows(201)
    blurred = doubtful.frame["a"] - doubtful.frame["b"] + rows(202).frame["a"][:201] * 2
    side = pl.Series("side", ["up" if value > 0 else "down" for value in blurred])
    valid = Table(doubtful.frame.with_columns(side))
    found = tuned(learner, validation=valid, mode="Entire grid", classification_metric=metric)
    ranked = found.sweep_results.frame[column]
    values = ranked.drop_nulls().to_list()
    assert values == sorted(values, reverse=not rising)
    assert len(set(values)) > 2
    # A precision of nothing is none, and comes last.
    assert ranked.to_list() == values + [None] * ranked.null_count()
    best = found.trained_best_model.score(valid).frame
    hits = (best["Scored Labels"] == best["side"]).mean()
    assert hits == pytest.approx(found.sweep_results.frame["Accuracy"][0])


def test_a_validation_dataset_is_what_is_measured_on() -> None:
    other = rows(80)
    found = tuned(mode="Entire grid", validation=other).sweep_results.frame
    model = train(RANGED.with_values(entire_grid(RANGED)[1]), rows(), "side", Context())
    scored = model.score(other).frame
    accuracy = (scored["Scored Labels"] == scored["side"]).sum() / other.rows
    mine = found.filter(
        (pl.col("L1 regularization weight") == 0)
        & ((pl.col("L2 regularization weight") - 1).abs() < 1e-9)
    )
    assert mine["Accuracy"].to_list() == [pytest.approx(accuracy)]


def test_the_port_of_unsuitable_validation_data_is_named() -> None:
    lacking = rows(80).of(rows(80).frame.drop("b"))
    with pytest.raises(SchemaMismatch, match="optional_validation_dataset"):
        tuned(validation=lacking)


def test_settings_that_cannot_be_trained_come_last_and_are_told() -> None:
    learner = LinearRegression(
        solution_method="Online Gradient Descent",
        create_trainer_mode="ParameterRange",
        learning_rate_range=Range(values=(1e6, 0.1)),
        number_of_training_epochs_range=Range(values=(20,)),
        l2_regularization_weight_range=Range(values=(0,)),
    )
    told: list[str] = []
    step = TuneModelHyperparameters(label_column="y", mode="Entire grid")
    found = step.run(learner.run(), rows(), context=Context(log=told.append))
    table = found.sweep_results.frame
    assert table["Learning rate"].to_list() == [0.1, 1e6]
    assert table["Mean_Absolute_Error"][1] is None
    assert any("diverged" in line for line in told)
    hopeless = learner.model_copy(update={"learning_rate_range": Range(values=(1e6,))})
    with pytest.raises(Exception, match="diverged"):
        step.run(hopeless.run(), rows(), context=Context())


def test_wrapped_and_quantile_learners_are_tuned() -> None:
    wrapper = OneVsOneMulticlass().around(RANGED)
    step = TuneModelHyperparameters(label_column="side", runs=2)
    found = step.run(wrapper.as_data(), rows(), context=Context())
    accuracies = found.sweep_results.frame["Accuracy"].to_list()
    assert accuracies == sorted(accuracies, reverse=True)
    assert found.trained_best_model.made_by == "One-vs-One Multiclass"
    quantiles = FastForestQuantileRegression(
        create_trainer_mode="ParameterRange",
        number_of_trees_range=Range(values=(2, 5)),
        number_of_leaves_range=Range(values=(4,)),
    )
    losses = tuned(quantiles, label_column="y", runs=2).sweep_results.frame["Average Quantile Loss"]
    assert losses.is_sorted()


class Remembering:
    """Notes in memory, and how often something was kept."""

    def __init__(self) -> None:
        self.kept: dict[str, Mapping[str, Any]] = {}

    def get(self, key: str) -> Mapping[str, Any] | None:
        return self.kept.get(key)

    def keep(self, key: str, value: Mapping[str, Any]) -> None:
        assert key not in self.kept
        self.kept[key] = json.loads(json.dumps(value))


class Killed(Exception):
    """The end of the process, for a test."""


def after(count: int) -> Any:
    """A place that ends after so many items."""
    left = count

    def spread(function: Any, items: Any, *, heard: Any) -> list[Any]:
        nonlocal left
        results = []
        for number, item in enumerate(items):
            if not left:
                raise Killed
            left -= 1
            # As if it had come from another process.
            results.append(pickle.loads(pickle.dumps(function))(pickle.loads(pickle.dumps(item))))
            heard(number, results[-1])
        return results

    return spread


def test_settings_are_measured_fold_by_fold_where_the_place_has_workers() -> None:
    step = TuneModelHyperparameters(label_column="side", runs=4)
    with pytest.raises(Killed):
        step.run(RANGED.run(), rows(), context=Context(map=after(19)))
    found = step.run(RANGED.run(), rows(), context=Context(map=after(20)))
    expected = step.run(RANGED.run(), rows(), context=Context())
    assert found.sweep_results.frame.equals(expected.sweep_results.frame)


@pytest.mark.parametrize("mode", ["Random sweep", "Entire grid", "Guided search"])
def test_a_killed_sweep_goes_on_from_what_it_had_measured(mode: Any) -> None:
    step = TuneModelHyperparameters(label_column="side", runs=6, mode=mode)
    notes, told = Remembering(), list[str]()
    with pytest.raises(Killed):
        step.run(RANGED.run(), rows(), context=Context(map=after(13), notes=notes))
    assert len(notes.kept) == 13
    again = Context(map=after(17), notes=notes, log=told.append)
    found = step.run(RANGED.run(), rows(), context=again)
    assert "13 measurements are those of an earlier attempt." in told
    expected = step.run(RANGED.run(), rows(), context=Context())
    assert found.sweep_results.frame.equals(expected.sweep_results.frame)
    # Other rows are measured anew.
    with pytest.raises(Killed):
        step.run(RANGED.run(), rows(121), context=Context(map=after(13), notes=notes))


def test_each_try_is_told_of_with_the_best_so_far() -> None:
    told: list[Mapping[str, Any]] = []
    step = TuneModelHyperparameters(
        label_column="side", mode="Entire grid", classification_metric="Average Log Loss"
    )
    found = step.run(RANGED.run(), rows(), context=Context(report=told.append))
    assert [t["settled"] for t in told] == [1, 2, 3, 4, 5, 6]
    assert {t["total"] for t in told} == {6}
    losses = [t["metrics"]["Average Log Loss"] for t in told]
    assert [t["best_value"] for t in told] == [min(losses[: n + 1]) for n in range(6)]
    assert told[-1]["best_value"] == found.sweep_results.frame["Average Log Loss"][0]
    best = told[told[-1]["best_try"]]
    first = found.sweep_results.frame.row(0, named=True)
    assert best["settings"] == {name: first[name] for name in best["settings"]}
    assert json.loads(json.dumps(told)) == told


def test_a_guided_search_finds_better_settings_than_chance_and_gives_up_bad_ones() -> None:
    learner = TwoClassLogisticRegression(
        create_trainer_mode="ParameterRange",
        optimization_tolerance_range=Range(values=(1e-4,)),
        l1_regularization_weight_range=Range(values=(0,)),
        l2_regularization_weight_range=Range(minimum=0.001, maximum=10_000, scale="log", steps=2),
        memory_size_for_l_bfgs_range=Range(values=(10,)),
    )
    told: list[str] = []
    reports: list[Mapping[str, Any]] = []
    step = TuneModelHyperparameters(
        label_column="side",
        mode="Guided search",
        runs=24,
        classification_metric="Average Log Loss",
    )
    context = Context(log=told.append, report=reports.append)
    found = step.run(learner.run(), rows(), context=context).sweep_results.frame
    weights = [r["settings"]["L2 regularization weight"] for r in reports]
    assert len(weights) == 24
    # The best weight is small; once it is known, draws are no longer spread evenly.
    assert np.median(weights[12:]) < np.median(weights[:8])
    pruned = [r for r in reports if r["pruned"]]
    assert pruned
    assert all(r["folds"] < 5 for r in pruned)
    assert found["Average Log Loss"].null_count() == len(pruned)
    assert sum("were given up" in line for line in told) == len(pruned)
    # Given up are the ones that do badly.
    by_fate = {
        fate: [w for r, w in zip(reports, weights, strict=True) if r["pruned"] is fate]
        for fate in (True, False)
    }
    assert np.median(by_fate[True]) > np.median(by_fate[False])
    again = step.run(learner.run(), rows(), context=Context()).sweep_results.frame
    assert again.equals(found)


def test_a_guided_search_tries_no_settings_twice_and_ends_with_the_last() -> None:
    reports: list[dict[str, Any]] = []
    few = {"l2_regularization_weight_range": Range(values=(0.1, 1, 10))}
    learner = RANGED.model_copy(update=few)
    context = Context(report=lambda told: reports.append(dict(told)))
    step = TuneModelHyperparameters(label_column="side", mode="Guided search", runs=50)
    found = step.run(learner.run(), rows(), context=context).sweep_results.frame
    settings = found.select(found.columns[: found.columns.index("Accuracy")])
    assert settings.height == settings.n_unique() == len(entire_grid(learner))
    assert {told["total"] for told in reports} == {len(entire_grid(learner))}


def test_a_guided_search_without_its_library_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtra, match=r"modelwright\[tune\]"):
        tuned(mode="Guided search")


def test_what_cannot_be_tuned_is_refused() -> None:
    with pytest.raises(WrongLearner, match="Train Clustering Model"):
        tuned(KMeansClustering())
    with pytest.raises(NoLabelColumn, match="training_dataset"):
        tuned(label_column="")
    with pytest.raises(EmptyTable):
        tuned(table=rows().of(rows().frame.clear()))
    with pytest.raises(InvalidParameter):
        TuneModelHyperparameters.parse({"runs": 0})
    wide = Range(minimum=1, maximum=200, steps=200)
    learner = TwoClassBoostedDecisionTree(
        create_trainer_mode="ParameterRange",
        number_of_trees_constructed_range=wide,
        minimum_number_of_samples_per_leaf_node_range=wide,
    )
    with pytest.raises(GridTooLarge, match="combinations"):
        entire_grid(learner)


def test_a_learner_without_ranges_has_nothing_to_tune() -> None:
    with pytest.raises(NothingToTune, match="K-Means Clustering"):
        entire_grid(KMeansClustering())


def test_the_model_is_known_before_the_run() -> None:
    step = TuneModelHyperparameters(label_column="side", runs=2)
    known: Any = step.outline(
        untrained_model=RANGED.outline()["untrained_model"], training_dataset=outline_of(rows())
    )
    model = tuned(runs=2).trained_best_model
    assert known["trained_best_model"].features == model.features
    assert known["trained_best_model"].scores.names == model.scores.names
