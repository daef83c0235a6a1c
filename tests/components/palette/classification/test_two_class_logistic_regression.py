from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from modelwright.components.context import Context
from modelwright.components.learning.training import train
from modelwright.components.palette.classification.two_class_logistic_regression import (
    TwoClassLogisticRegression,
)
from modelwright.data.fitted import Model
from modelwright.data.table import Table

EXACT: dict[str, Any] = {"l1_regularization_weight": 0.0, "optimization_tolerance": 1e-13}


def rows(count: int = 500) -> pl.DataFrame:
    chance = np.random.default_rng(count)
    a, b, idle = chance.normal(50, 10, count), chance.normal(size=count), chance.random(count)
    kind = chance.choice(["x", "y", "z"], count)
    odds = 0.1 * (a - 50) + 2 * b + (kind == "z")
    bought = chance.random(count) < 1 / (1 + np.exp(-odds))
    answer = np.where(bought, "yes", "no")
    return pl.DataFrame({"a": a, "b": b, "idle": idle, "kind": kind, "bought": answer})


def fitted(frame: pl.DataFrame | None = None, **parameters: Any) -> Model:
    frame = rows() if frame is None else frame
    learner = TwoClassLogisticRegression(**parameters)
    return train(learner, Table(frame), "bought", Context())


def probabilities(model: Model, frame: pl.DataFrame | None = None) -> np.ndarray:
    scored = model.score(Table(rows() if frame is None else frame)).frame
    return scored["Scored Probabilities"].to_numpy()


def weights(model: Model) -> list[float]:
    return [w["weight"] for w in model.learnt["weights"][1:]]


@pytest.mark.parametrize("l2", [0.1, 1.0, 10.0])
def test_probabilities_are_those_of_scikit_learn_on_scaled_features(l2: float) -> None:
    frame = rows()
    scaled = StandardScaler().fit_transform(frame.select("a", "b", "idle").to_numpy())
    matrix = np.column_stack([scaled, frame["kind"].to_dummies().to_numpy()])
    other = LogisticRegression(C=1 / l2, tol=1e-12, max_iter=10_000)
    expected = other.fit(matrix, frame["bought"].to_numpy()).predict_proba(matrix)[:, 1]
    model = fitted(l2_regularization_weight=l2, **EXACT)
    np.testing.assert_allclose(probabilities(model), expected, atol=1e-5)


@pytest.mark.parametrize("odd_ones_last", [False, True])
def test_many_rows_are_learnt_as_exactly_as_few_whatever_their_order(odd_ones_last: bool) -> None:
    # So many that the search begins on a part of them, which may have one class only.
    frame = rows(440_000).drop("kind")
    if odd_ones_last:
        few = frame.filter(bought="yes").head(5_000)
        frame = pl.concat([frame.filter(bought="no"), few])
    matrix = StandardScaler().fit_transform(frame.select("a", "b", "idle").to_numpy())
    other = LogisticRegression(C=1, tol=1e-12).fit(matrix, frame["bought"].to_numpy())
    model = fitted(frame, **EXACT)
    expected = other.predict_proba(matrix)[:, 1]
    np.testing.assert_allclose(probabilities(model, frame), expected, atol=1e-5)


def test_the_last_class_in_sorted_order_is_the_positive_one() -> None:
    model = fitted()
    assert model.classes == ("no", "yes")
    labels, likely = model.scores
    assert likely.score is not None
    assert likely.score.of == "yes"
    assert labels.type.value == "String"
    scored = model.score(Table(rows())).frame
    expected = np.where(scored["Scored Probabilities"].to_numpy() >= 0.5, "yes", "no")
    assert scored["Scored Labels"].to_list() == expected.tolist()


@pytest.mark.parametrize(
    ("negative", "positive"), [(0, 1), (1, 2), (False, True), (-1.0, 1.0), ("<=50K", ">50K")]
)
def test_scored_labels_are_the_label_s_own_values(negative: Any, positive: Any) -> None:
    label = pl.when(pl.col("bought") == "yes").then(pl.lit(positive)).otherwise(pl.lit(negative))
    frame = rows().with_columns(bought=label)
    scored = fitted(frame).score(Table(frame)).frame
    assert scored["Scored Labels"].dtype == scored["bought"].dtype
    assert (scored["Scored Labels"] == scored["bought"]).sum() > 0.75 * scored.height


def test_an_l1_weight_sets_useless_weights_to_zero() -> None:
    assert 0.0 not in weights(fitted(**EXACT))
    sparse = fitted(l1_regularization_weight=20.0, l2_regularization_weight=0.0)
    assert weights(sparse).count(0.0) >= 1
    assert "idle" not in sparse.formula.required()


def test_an_l2_weight_keeps_weights_small() -> None:
    loose = fitted(l2_regularization_weight=0.01, **EXACT)
    tight = fitted(l2_regularization_weight=100.0, **EXACT)
    assert max(map(abs, weights(tight))) < max(map(abs, weights(loose)))


def test_a_looser_tolerance_takes_fewer_steps() -> None:
    loose, tight = fitted(optimization_tolerance=0.01), fitted(optimization_tolerance=1e-12)
    assert loose.learnt["steps"] < tight.learnt["steps"]


def test_less_memory_takes_more_steps() -> None:
    small = fitted(memory_size_for_l_bfgs=1, **EXACT)
    large = fitted(memory_size_for_l_bfgs=20, **EXACT)
    assert small.learnt["steps"] > large.learnt["steps"]


def test_the_seed_moves_the_start_and_hardly_the_end() -> None:
    first, again, other = (fitted(random_number_seed=s) for s in (1, 1, 2))
    assert first.formula == again.formula
    assert first.formula != other.formula
    np.testing.assert_allclose(probabilities(first), probabilities(other), atol=1e-2)


def test_ranges_are_tried_from_their_first_value() -> None:
    ranged = fitted(
        create_trainer_mode="ParameterRange",
        optimization_tolerance_range={"values": [1e-13]},
        l1_regularization_weight_range={"values": [0]},
        l2_regularization_weight_range={"values": [10, 1]},
        memory_size_for_l_bfgs_range={"values": [5]},
    )
    expected = fitted(l2_regularization_weight=10.0, memory_size_for_l_bfgs=5, **EXACT)
    assert ranged.formula == expected.formula


def test_a_row_alone_is_scored_to_the_same_bit_as_in_a_table() -> None:
    frame = rows().with_columns(pl.when(pl.col("a") > 45).then(pl.col("a")))
    model = fitted(frame)
    program = model.formula.compile_rows(model.features)
    asked = frame.select(model.features.names).rows(named=True)
    replies: Any = [program.score(row) for row in asked]
    found = [reply["Scored Probabilities"] for reply in replies]
    assert found == probabilities(model, frame).tolist()


def test_classes_that_a_line_separates_are_told_apart() -> None:
    frame = pl.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "bought": [0, 0, 1, 1]})
    model = fitted(frame, l1_regularization_weight=0.0, l2_regularization_weight=0.0)
    assert model.score(Table(frame)).frame["Scored Labels"].to_list() == [0, 0, 1, 1]
