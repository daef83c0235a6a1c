from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from modelwright.components.learning.encoding import Floats
from modelwright.components.learning.quasi_newton import Minimum, minimise

CHANCE = np.random.default_rng(3)
MATRIX = CHANCE.normal(size=(400, 12)) * np.linspace(0.2, 3.0, 12)
TARGET = (MATRIX @ np.linspace(-1, 1, 12) + CHANCE.normal(size=400) > 0).astype(float)


def loss(weights: Floats) -> tuple[float, Floats]:
    sums = MATRIX @ weights
    value = float(np.logaddexp(0, sums).sum() - TARGET @ sums)
    return value, MATRIX.T @ (expit(sums) - TARGET)


def found(l1: float, *, memory: int = 10, tolerance: float = 1e-13, rounds: int = 1000) -> Minimum:
    return minimise(
        loss,
        np.zeros(12),
        absolute=np.full(12, l1),
        memory=memory,
        tolerance=tolerance,
        rounds=rounds,
    )


def test_without_absolute_values_it_finds_the_minimum_of_scipy() -> None:
    expected = minimize(loss, np.zeros(12), jac=True, method="L-BFGS-B", options={"ftol": 1e-15})
    assert found(0.0).value == pytest.approx(expected.fun, rel=1e-10)
    np.testing.assert_allclose(found(0.0).point, expected.x, atol=1e-4)


@pytest.mark.parametrize("l1", [0.5, 5.0, 40.0])
def test_with_absolute_values_it_finds_the_weights_of_scikit_learn(l1: float) -> None:
    other = LogisticRegression(
        C=1 / l1, l1_ratio=1.0, solver="saga", fit_intercept=False, tol=1e-10, max_iter=100_000
    )
    expected = other.fit(MATRIX, TARGET).coef_[0]
    minimum = found(l1)
    np.testing.assert_allclose(minimum.point, expected, atol=1e-5)
    np.testing.assert_array_equal(minimum.point == 0, expected == 0)


def test_a_large_absolute_penalty_leaves_nothing() -> None:
    assert not found(1e4).point.any()


def test_a_looser_tolerance_stops_sooner() -> None:
    loose, tight = found(0.0, tolerance=1e-2), found(0.0, tolerance=1e-12)
    assert loose.converged
    assert tight.converged
    assert loose.rounds < tight.rounds
    assert loose.value > tight.value


def test_less_memory_needs_more_steps() -> None:
    assert found(0.0, memory=1).rounds > found(0.0, memory=20).rounds


def test_it_says_when_it_ran_out_of_steps() -> None:
    assert not found(0.0, rounds=2).converged


def test_a_start_at_the_minimum_is_the_end() -> None:
    def square(point: Floats) -> tuple[float, Floats]:
        return float(point @ point), 2 * point

    end = minimise(square, np.zeros(3), absolute=np.zeros(3), memory=5, tolerance=1e-9, rounds=10)
    assert (end.rounds, end.converged, end.value) == (0, True, 0.0)
