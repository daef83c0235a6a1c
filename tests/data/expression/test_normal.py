from __future__ import annotations

import math

import numpy as np
from scipy import stats

from modelwright.data.expression.functions.normal import normal_cdf, normal_cdfs

SPECIAL = [0.0, -0.0, 5e-324, -1e-300, 40.0, -40.0, 38.4, -38.4, 1e300, -1e300, math.inf, -math.inf]


def drawn() -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    chance = np.random.default_rng(3)
    return np.concatenate([chance.normal(size=20_000), chance.uniform(-38, 9, 20_000), SPECIAL])


def test_both_forms_of_the_normal_law_give_the_same_bits() -> None:
    z = drawn()
    assert normal_cdfs(z).tolist() == [normal_cdf(one) for one in z.tolist()]


def test_the_normal_law_is_as_exact_as_that_of_scipy_far_into_the_tail() -> None:
    z = drawn()
    z = z[z > -37]
    # Both are off by a few units in the last place of their own.
    np.testing.assert_allclose(normal_cdfs(z), stats.norm.cdf(z), rtol=5e-13, atol=0)
    near = z[np.abs(z) < 6]
    np.testing.assert_allclose(normal_cdfs(near), stats.norm.cdf(near), rtol=2e-14, atol=0)
    wanted = {-30.0: 4.906713927148187e-198, -10.0: 7.61985302416053e-24, 1.0: 0.8413447460685429}
    for at, exact in wanted.items():
        assert math.isclose(normal_cdf(at), exact, rel_tol=2e-15)


def test_the_normal_law_never_falls_and_ends_at_0_and_1() -> None:
    z = np.linspace(-38, 38, 20_001)
    steps = np.diff(normal_cdfs(z))
    assert steps.min() >= -2e-16
    assert [normal_cdf(at) for at in (-math.inf, -50.0, 50.0, math.inf)] == [0.0, 0.0, 1.0, 1.0]
    assert normal_cdf(0.0) == 0.5


def test_not_a_number_stays_that_in_both_forms() -> None:
    assert math.isnan(normal_cdf(math.nan))
    assert np.isnan(normal_cdfs(np.array([math.nan, 0.0]))).tolist() == [True, False]
