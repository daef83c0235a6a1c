from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from sklearn.svm import LinearSVC
from tests.components.learning.trials import fitted, scored, scored_one_by_one, with_gaps

from modelwright.components.learning.design import Design, Scaling
from modelwright.components.learning.encoding import learn_encoding
from modelwright.components.learning.learner import Learner
from modelwright.components.learning.margins import (
    BLOCK,
    MANY_CELLS,
    MANY_ROWS,
    calibrate,
    learn_margin,
)
from modelwright.components.learning.metrics import area_under_roc, log_loss
from modelwright.components.palette.classification.two_class_averaged_perceptron import (
    TwoClassAveragedPerceptron,
)
from modelwright.components.palette.classification.two_class_support_vector_machine import (
    TwoClassSupportVectorMachine,
)
from modelwright.data.fitted import Model
from modelwright.data.table import Table

LEARNERS = [
    TwoClassSupportVectorMachine(),
    TwoClassSupportVectorMachine(project_to_the_unit_sphere=True),
    TwoClassSupportVectorMachine(normalize_features=False),
    TwoClassAveragedPerceptron(),
]
EVERY = pytest.mark.parametrize("learner", LEARNERS)


def halves(rows: int = 500, *, noise: float = 0.5) -> pl.DataFrame:
    chance = np.random.default_rng(rows)
    a, b = chance.normal(3, 1, rows), chance.normal(-1, 2, rows)
    kind = chance.choice(list("pqr"), rows)
    side = a - 3 - (b + 1) / 2 + (kind == "q") + chance.normal(0, noise, rows) > 0
    return pl.DataFrame({"a": a, "b": b, "kind": kind, "y": np.where(side, "up", "down")})


def svm(**parameters: Any) -> Model:
    return fitted(TwoClassSupportVectorMachine(**parameters), halves())


def perceptron(**parameters: Any) -> Model:
    return fitted(TwoClassAveragedPerceptron(**parameters), halves())


def length(model: Model) -> float:
    weights = [w["weight"] for w in model.learnt["weights"] if w["feature"] != "Bias"]
    return float(np.linalg.norm(weights))


def area(model: Model, frame: pl.DataFrame) -> float:
    found = area_under_roc(
        (frame["y"] == "up").to_numpy(), scored(model, frame)["Scored Probabilities"].to_numpy()
    )
    assert found is not None
    return found


@EVERY
def test_what_was_not_seen_is_told_apart(learner: Learner) -> None:
    assert area(fitted(learner, halves()), halves(600)) > 0.93


@EVERY
def test_probabilities_are_honest(learner: Learner) -> None:
    frame = halves(600)
    found = scored(fitted(learner, halves()), frame)["Scored Probabilities"].to_numpy()
    positive = (frame["y"] == "up").to_numpy()
    assert found.mean() == pytest.approx(positive.mean(), abs=0.05)
    assert log_loss(positive, found) < 0.4


@EVERY
def test_a_row_alone_is_scored_to_the_same_bit_as_in_a_table(learner: Learner) -> None:
    frame = with_gaps(halves(100), "a", "kind")
    model = fitted(learner, frame)
    unseen = frame.with_columns(kind=pl.lit("never"))
    for rows in (frame, unseen):
        assert_frame_equal(scored_one_by_one(model, rows), scored(model, rows), check_exact=True)


def test_the_margin_is_about_that_of_a_solver_that_is_exact() -> None:
    frame = halves()
    scaled = [((frame[n] - frame[n].mean()) / frame[n].std(ddof=0)) for n in ("a", "b")]
    matrix = np.column_stack([*scaled, frame["kind"].to_dummies().to_numpy()])
    exact = LinearSVC(C=1 / (0.001 * frame.height), loss="hinge", max_iter=100_000, tol=1e-8)
    expected = exact.fit(matrix, frame["y"].to_numpy()).decision_function(matrix)
    found = scored(svm(number_of_iterations=100), frame)["Scored Probabilities"].to_numpy()
    odds = np.log(found / (1 - found))
    assert np.corrcoef(odds, expected)[0, 1] > 0.99


def test_a_larger_lambda_gives_smaller_weights() -> None:
    loose, tight = svm(lambda_weight=1e-4), svm(lambda_weight=1.0)
    assert length(tight) < length(loose) / 5


def test_more_iterations_come_closer() -> None:
    one, many = svm(number_of_iterations=1), svm(number_of_iterations=50)
    assert area(one, halves()) < area(many, halves())


def test_normalising_makes_units_matter_less() -> None:
    frame = halves().with_columns(b=pl.col("b") * 1000)
    plain = fitted(TwoClassSupportVectorMachine(normalize_features=False), frame)
    scaled = fitted(TwoClassSupportVectorMachine(), frame)
    assert area(plain, frame) < area(scaled, frame)


def test_projected_rows_are_told_apart_by_direction_alone() -> None:
    frame = pl.DataFrame({"a": [1.0, 2.0, -1.0, -3.0] * 20, "b": [0.1, 0.3, 0.2, 0.1] * 20})
    frame = frame.with_columns(y=pl.col("a") > 0)
    model = fitted(
        TwoClassSupportVectorMachine(project_to_the_unit_sphere=True, normalize_features=False),
        frame,
    )
    found = scored(model, pl.DataFrame({"a": [0.02, 200.0], "b": [0.01, 100.0]}))
    near, far = found["Scored Probabilities"]
    assert near == pytest.approx(far)
    nowhere = scored(model, pl.DataFrame({"a": [0.0], "b": [0.0]}))
    assert nowhere["Scored Probabilities"].null_count() == 0


def test_a_smaller_learning_rate_makes_smaller_weights() -> None:
    assert length(perceptron(learning_rate=0.01)) < length(perceptron()) / 2


def test_more_passes_move_the_average() -> None:
    one, ten = perceptron(maximum_number_of_iterations=1), perceptron()
    assert length(one) < length(ten)


@pytest.mark.parametrize("make", [svm, perceptron])
def test_the_seed_orders_the_examples(make: Any) -> None:
    assert make(random_number_seed=1).formula == make(random_number_seed=1).formula
    assert make(random_number_seed=1).formula != make(random_number_seed=2).formula


@pytest.mark.parametrize("projected", [False, True])
@pytest.mark.parametrize("texts", [False, True])
def test_many_rows_that_are_sorted_are_learnt_as_in_any_order(
    *, texts: bool, projected: bool
) -> None:
    rows, width = MANY_ROWS + 5_001, MANY_CELLS // MANY_ROWS
    chance = np.random.default_rng(0)
    matrix = chance.normal(size=(rows, width))
    side = matrix @ chance.normal(size=width) + chance.normal(size=rows) > 0
    # All of one class first: a descent in this order would forget them.
    order = np.argsort(side, kind="stable")
    frame = pl.DataFrame(matrix[order], schema=[f"f{at}" for at in range(width)])
    if texts:
        frame = frame.with_columns(kind=pl.Series(chance.choice(list("pqr"), rows)))
    encoded = learn_encoding(frame, Table(frame).schema).encode(frame)
    design = Design(encoded, Scaling.standard(encoded.encoding.numbers))
    target = side[order].astype(np.float64)
    margin = learn_margin(
        design,
        target,
        learner="",
        seed=0,
        projected=projected,
        max_iter=1,
        average=True,
        penalty="l2",
        alpha=0.001,
    )
    lengths = np.sqrt(design.squared_lengths()) if projected else np.ones(rows)
    expected = design.times(margin.values) / lengths + margin.intercept
    assert margin.of_rows == pytest.approx(expected)
    assert ((margin.of_rows > 0) == (target > 0)).mean() > 0.94


def test_ranges_are_tried_from_their_first_value() -> None:
    ranged = svm(
        create_trainer_mode="ParameterRange",
        number_of_iterations_range={"values": [3, 4]},
        lambda_weight_range={"values": [0.01]},
    )
    assert ranged.formula == svm(number_of_iterations=3, lambda_weight=0.01).formula
    other = perceptron(
        create_trainer_mode="ParameterRange",
        learning_rate_range={"values": [0.5]},
        maximum_number_of_iterations_range={"values": [2]},
    )
    expected = perceptron(learning_rate=0.5, maximum_number_of_iterations=2)
    assert other.formula == expected.formula


def test_classes_that_are_apart_do_not_become_certain() -> None:
    margins = np.array([-3.0, -2.0, 2.0, 3.0])
    slope, offset = calibrate(margins, np.array([0.0, 0.0, 1.0, 1.0]))
    odds = slope * margins + offset
    # With two rows of each class, Platt's targets are 1/4 and 3/4.
    assert 1 / (1 + np.exp(-odds)) == pytest.approx([0.25, 0.25, 0.75, 0.75], abs=0.07)


def test_of_many_rows_that_are_sorted_the_line_is_that_of_all() -> None:
    from scipy.optimize import minimize

    chance = np.random.default_rng(0)
    margins = np.sort(chance.normal(size=17 * BLOCK))
    target = (chance.uniform(size=len(margins)) < 1 / (1 + np.exp(1 - 3 * margins))).astype(float)

    def loss(line: np.ndarray[Any, Any]) -> float:
        odds = line[0] * margins + line[1]
        return float((np.logaddexp(0.0, odds) - target * odds).mean())

    expected = minimize(loss, [1.0, 0.0]).x
    assert calibrate(margins, target) == pytest.approx(tuple(expected), rel=1e-3)


def test_margins_that_say_nothing_give_the_share_of_the_classes() -> None:
    slope, offset = calibrate(np.array([1.0, -1.0, 1.0, -1.0]), np.array([0.0, 1.0, 0.0, 0.0]))
    assert slope == 0.0
    assert 1 / (1 + np.exp(-offset)) < 0.5
