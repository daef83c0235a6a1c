"""What is spread over workers gives what it gives in one place."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.components.learning.trials import elsewhere

from modelwright.components.context import Context
from modelwright.components.learning import forests
from modelwright.components.learning.encoding import learn_encoding
from modelwright.components.learning.forests import Answers, random_questions
from modelwright.components.learning.learner import Learner
from modelwright.components.learning.training import train
from modelwright.components.palette.classification.multiclass_decision_forest import (
    MulticlassDecisionForest,
)
from modelwright.components.palette.classification.one_vs_all_multiclass import OneVsAllMulticlass
from modelwright.components.palette.classification.one_vs_one_multiclass import OneVsOneMulticlass
from modelwright.components.palette.classification.two_class_boosted_decision_tree import (
    TwoClassBoostedDecisionTree,
)
from modelwright.components.palette.classification.two_class_decision_forest import (
    TwoClassDecisionForest,
)
from modelwright.components.palette.classification.two_class_logistic_regression import (
    TwoClassLogisticRegression,
)
from modelwright.components.palette.feature_selection.permutation_feature_importance import (
    PermutationFeatureImportance,
)
from modelwright.components.palette.model_scoring_and_evaluation.cross_validate_model import (
    CrossValidateModel,
)
from modelwright.components.palette.regression.decision_forest_regression import (
    DecisionForestRegression,
)
from modelwright.components.palette.regression.fast_forest_quantile_regression import (
    FastForestQuantileRegression,
)
from modelwright.components.palette.regression.linear_regression import LinearRegression
from modelwright.data.table import Table

SPREAD = Context(map=elsewhere, width=2)


def rows(count: int = 90) -> Table:
    chance = np.random.default_rng(4)
    a, b = chance.normal(size=count), chance.normal(size=count)
    kind = np.select([a > 0.5, b > 0], ["x", "y"], "z")
    text = chance.choice(["red", "blue"], count)
    return Table(
        pl.DataFrame({"a": a, "b": b, "text": text, "kind": kind, "y": a - b + (text == "red")})
    )


@pytest.mark.parametrize("wrapper", [OneVsAllMulticlass, OneVsOneMulticlass])
@pytest.mark.parametrize(
    "base",
    [
        TwoClassLogisticRegression(),
        TwoClassBoostedDecisionTree(number_of_trees_constructed=5),
        TwoClassDecisionForest(number_of_decision_trees=3),
    ],
)
def test_models_of_many_classes(wrapper: Any, base: Learner) -> None:
    learner = wrapper().around(base)
    expected = train(learner, rows(), "kind", Context())
    found = train(learner, rows(), "kind", SPREAD)
    assert found.formula == expected.formula
    assert {n: v.content for n, v in found.natives.items()} == {
        n: v.content for n, v in expected.natives.items()
    }
    assert found.score(rows()).frame.equals(expected.score(rows()).frame)


def test_cross_validation() -> None:
    step = CrossValidateModel(label_column="y")
    found = step.run(LinearRegression().run(), rows(), context=SPREAD)
    expected = step.run(LinearRegression().run(), rows(), context=Context())
    assert found.scored_results.frame.equals(expected.scored_results.frame)
    assert found.evaluation_results_by_fold.frame.equals(expected.evaluation_results_by_fold.frame)


@pytest.mark.parametrize(
    ("learner", "label"), [(LinearRegression(), "y"), (TwoClassDecisionForest(), "text")]
)
def test_the_importance_of_features(learner: Learner, label: str) -> None:
    model = train(learner, rows(), label, Context())
    step = PermutationFeatureImportance(seed=3)
    found = step.run(model, rows(), context=SPREAD)
    assert found.frame.equals(step.run(model, rows(), context=Context()).frame)


@pytest.mark.parametrize(
    ("learner", "label"),
    [
        (TwoClassDecisionForest(number_of_decision_trees=5), "text"),
        (
            MulticlassDecisionForest(number_of_decision_trees=5, resampling_method="Replicate"),
            "kind",
        ),
        (DecisionForestRegression(number_of_decision_trees=5), "y"),
        (FastForestQuantileRegression(number_of_trees=5), "y"),
    ],
)
def test_the_trees_of_a_forest(
    learner: Learner, label: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    expected = train(learner, rows(), label, Context())
    monkeypatch.setattr(forests, "WORTH_SENDING", 0)
    told: list[str] = []
    spread = replace(SPREAD, log=told.append, scratch=tmp_path)
    found = train(learner, rows(), label, spread)
    assert "5 trees are grown in 4 shares by up to 2 workers." in told
    assert {n: v.content for n, v in found.natives.items()} == {
        n: v.content for n, v in expected.natives.items()
    }
    assert found.learnt == expected.learnt


def test_workers_of_a_machine_map_the_matrix_of_a_forest_together(tmp_path: Path) -> None:
    table = rows(300)
    encoding = learn_encoding(table.frame, table.schema)
    questions, repeats = random_questions(encoding, 20, np.random.default_rng(0))
    answers = Answers(questions, repeats, encoding.encode(table.frame))
    with answers.in_file(tmp_path) as shared:
        there = pickle.loads(pickle.dumps(shared))
        assert isinstance(there.matrix, np.memmap)
        np.testing.assert_array_equal(there.matrix, answers.matrix)
    assert not list(tmp_path.iterdir())
    # A worker of another machine has no such file.
    elsewhere_made = pickle.loads(pickle.dumps(shared)).matrix
    assert not isinstance(elsewhere_made, np.memmap)
    np.testing.assert_array_equal(elsewhere_made, answers.matrix)


def test_a_forest_without_room_for_a_file_is_grown_all_the_same(tmp_path: Path) -> None:
    table = rows(30)
    encoding = learn_encoding(table.frame, table.schema)
    answers = Answers(
        *random_questions(encoding, 5, np.random.default_rng(0)), encoding.encode(table.frame)
    )
    with answers.in_file(tmp_path / "missing") as shared:
        assert shared is answers


def test_a_task_within_an_item_gets_its_share_of_the_threads() -> None:
    assert Context(width=2, threads=8).within_item().threads == 4
    assert Context(width=4, threads=2).within_item().threads == 1
    assert Context(threads=8).within_item().threads == 8
