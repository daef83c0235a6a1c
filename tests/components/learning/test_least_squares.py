from __future__ import annotations

import tracemalloc

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import Ridge

from modelwright.components.learning import least_squares
from modelwright.components.learning.design import Design, Scaling
from modelwright.components.learning.encoding import Encoded, Floats, learn_encoding
from modelwright.components.learning.least_squares import ridge
from modelwright.components.learning.weights import LinearWeights
from modelwright.data.table import Table


def encoded(frame: pl.DataFrame) -> Encoded:
    table = Table(frame)
    return learn_encoding(table.frame, table.schema).encode(table.frame)


def mixed(rows: int, levels: int = 6, *, missing: float = 0.1) -> tuple[Encoded, Floats]:
    """Numbers of very different sizes, two texts, gaps everywhere, and a target."""
    chance = np.random.default_rng(rows)
    x = chance.normal(5.0, 2.0, rows)
    big = chance.normal(1e6, 1e3, rows)
    kind = chance.integers(0, levels, rows)
    fuel = chance.integers(0, 3, rows)
    target = 3 * x - 0.01 * big + kind + chance.normal(size=rows)
    frame = pl.DataFrame(
        {
            "x": x,
            "big": big,
            "kind": [f"k{k:05d}" for k in kind],
            "fuel": [f"f{k}" for k in fuel],
        }
    )
    gaps = pl.Series(chance.random(rows) < missing)
    frame = frame.with_columns(pl.when(~gaps).then(pl.col("x", "fuel")))
    return encoded(frame), target


def scaled(data: Encoded, *, intercept: bool = True) -> Design:
    return Design(data, Scaling.standard(data.encoding.numbers, centre=intercept))


def by_hand(data: Encoded, target: Floats, penalty: float, *, intercept: bool = True) -> Floats:
    """Predictions of a library on the scaled matrix built whole, gaps filled with the mean."""
    matrix = scaled(data, intercept=intercept).dense()
    found: Floats
    if penalty:
        model = Ridge(alpha=penalty, solver="svd", fit_intercept=intercept)
        found = model.fit(matrix, target).predict(matrix)
        return found
    # That of scikit-learn takes small directions for none.
    if intercept:
        matrix = np.column_stack([matrix - matrix.mean(axis=0), np.ones(len(matrix))])
    found = matrix @ np.linalg.lstsq(matrix, target, rcond=None)[0]
    return found


def predicted(weights: LinearWeights, data: Encoded) -> Floats:
    return Design(data).times(weights.values) + weights.intercept


@pytest.fixture
def by_products(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(least_squares, "DENSE_CELLS", 0)


@pytest.fixture
def by_gradients(monkeypatch: pytest.MonkeyPatch, by_products: None) -> None:
    monkeypatch.setattr(least_squares, "GRAM_WIDTH", 0)


@pytest.mark.parametrize("penalty", [0.0, 0.001, 10.0])
@pytest.mark.parametrize("intercept", [True, False])
def test_few_rows_give_what_scikit_learn_gives(penalty: float, intercept: bool) -> None:
    data, target = mixed(300)
    weights = ridge(data, target, penalty=penalty, intercept=intercept)
    expected = by_hand(data, target, penalty, intercept=intercept)
    np.testing.assert_allclose(predicted(weights, data), expected, rtol=1e-9)


@pytest.mark.usefixtures("by_products")
@pytest.mark.parametrize("penalty", [0.0, 0.001, 10.0])
@pytest.mark.parametrize("intercept", [True, False])
def test_products_of_columns_lose_no_digits(penalty: float, intercept: bool) -> None:
    data, target = mixed(3000)
    weights = ridge(data, target, penalty=penalty, intercept=intercept)
    expected = by_hand(data, target, penalty, intercept=intercept)
    np.testing.assert_allclose(predicted(weights, data), expected, rtol=1e-9)


@pytest.mark.usefixtures("by_gradients")
def test_conjugate_gradients_reach_the_same_weights() -> None:
    data, target = mixed(3000)
    weights = ridge(data, target, penalty=1.0, intercept=True)
    expected = by_hand(data, target, 1.0)
    np.testing.assert_allclose(predicted(weights, data), expected, rtol=1e-7)


def test_weights_of_a_small_penalty_are_those_of_scikit_learn() -> None:
    data, target = mixed(200, missing=0.0)
    weights = ridge(data, target, penalty=0.001, intercept=True)
    design = scaled(data)
    other = Ridge(alpha=0.001, solver="svd").fit(design.dense(), target)
    expected = other.coef_.copy()
    expected[: design.numbers] /= design.scaling.scale
    np.testing.assert_allclose(weights.values, expected, rtol=1e-7)


def test_many_rows_need_little_memory_beyond_the_data() -> None:
    data, target = mixed(300_000, levels=50, missing=0.0)
    tracemalloc.start()
    weights = ridge(data, target, penalty=0.001, intercept=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # The whole matrix would take 300,000 x 56 x 8 bytes = 134 MB.
    assert peak < 40e6
    assert np.abs(predicted(weights, data) - target).max() < 6


def test_a_category_of_ten_thousand_levels_is_learnt() -> None:
    chance = np.random.default_rng(0)
    level = chance.integers(0, 10_000, 40_000)
    x = chance.normal(size=40_000)
    data = encoded(pl.DataFrame({"x": x, "k": [f"{v:05d}" for v in level]}))
    worth = chance.normal(size=10_000)
    target = 2 * x + worth[level]
    weights = ridge(data, target, penalty=0.001, intercept=True)
    np.testing.assert_allclose(predicted(weights, data), target, atol=5e-3)


def test_an_intercept_is_fitted_only_when_asked_for() -> None:
    data = encoded(pl.DataFrame({"x": [1.0, 2.0, 3.0, 4.0]}))
    target = np.array([11.0, 12.0, 13.0, 14.0])
    weights = ridge(data, target, penalty=0.0, intercept=True)
    assert (weights.values[0], weights.intercept) == pytest.approx((1.0, 10.0))
    through_origin = ridge(data, target, penalty=0.0, intercept=False)
    assert through_origin.intercept == 0.0
    assert through_origin.values[0] == pytest.approx(130 / 30)


def test_a_constant_feature_gets_no_weight() -> None:
    data = encoded(pl.DataFrame({"x": [1.0, 2.0, 4.0], "same": [7.0, 7.0, 7.0]}))
    weights = ridge(data, np.array([2.0, 4.0, 8.0]), penalty=0.0, intercept=True)
    assert weights.values == pytest.approx([2.0, 0.0])
