from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from sklearn.linear_model import PoissonRegressor
from sklearn.preprocessing import StandardScaler
from tests.components.learning.trials import fitted, scored, scored_one_by_one, with_gaps

from modelwright.components.learning.errors import NegativeLabel
from modelwright.components.palette.regression.poisson_regression import PoissonRegression
from modelwright.data.fitted import Model

EXACT: dict[str, Any] = {"l1_regularization_weight": 0.0, "optimization_tolerance": 1e-13}


def visits(rows: int = 400) -> pl.DataFrame:
    chance = np.random.default_rng(rows)
    a, idle = chance.normal(20, 5, rows), chance.random(rows)
    day = chance.choice(["mon", "sat", "sun"], rows)
    mean = np.exp(0.1 * (a - 20) + (day != "mon"))
    return pl.DataFrame({"a": a, "idle": idle, "day": day, "y": chance.poisson(mean)})


def model(frame: pl.DataFrame | None = None, **parameters: Any) -> Model:
    return fitted(PoissonRegression(**parameters), visits() if frame is None else frame)


def weights(found: Model) -> dict[str, float]:
    return {w["feature"] + w.get("level", ""): w["weight"] for w in found.learnt["weights"]}


@pytest.mark.parametrize("l2", [0.5, 20.0])
def test_counts_are_those_of_scikit_learn_on_scaled_features(l2: float) -> None:
    frame = visits()
    scaled = StandardScaler().fit_transform(frame.select("a", "idle").to_numpy())
    matrix = np.column_stack([scaled, frame["day"].to_dummies().to_numpy()])
    # There the loss is a mean: its penalty is ours by the number of rows.
    other = PoissonRegressor(alpha=l2 / frame.height, tol=1e-12, max_iter=10_000)
    expected = other.fit(matrix, frame["y"].to_numpy()).predict(matrix)
    found = scored(model(l2_regularization_weight=l2, **EXACT), frame)["Scored Labels"]
    np.testing.assert_allclose(found.to_numpy(), expected, rtol=1e-4)


def test_an_l1_weight_sets_useless_weights_to_zero() -> None:
    sparse = weights(model(l1_regularization_weight=90.0))
    assert sparse["idle"] == 0.0
    assert sparse["a"] > 0.05
    assert weights(model(**EXACT))["idle"] != 0.0


def test_an_l2_weight_keeps_weights_small() -> None:
    loose, tight = (model(l2_regularization_weight=w, **EXACT) for w in (0.01, 300.0))
    assert abs(weights(tight)["a"]) < abs(weights(loose)["a"])


def test_a_looser_tolerance_takes_fewer_steps() -> None:
    loose, tight = model(optimization_tolerance=0.01), model(optimization_tolerance=1e-12)
    assert loose.learnt["steps"] < tight.learnt["steps"]


def test_less_memory_takes_more_steps() -> None:
    small, large = (model(memory_size_for_l_bfgs=m, **EXACT) for m in (1, 20))
    assert small.learnt["steps"] > large.learnt["steps"]


def test_a_count_below_zero_is_refused() -> None:
    with pytest.raises(NegativeLabel) as caught:
        model(pl.DataFrame({"a": [1.0, 2.0, 3.0], "y": [1, -2, 0]}))
    assert caught.value.fields["value"] == -2.0
    assert "Poisson Regression" in str(caught.value)


def test_counts_that_are_all_zero_stay_next_to_zero() -> None:
    frame = visits(50).with_columns(y=pl.lit(0))
    assert scored(model(frame), frame)["Scored Labels"].to_numpy().max() < 1e-6


def test_large_counts_do_not_overflow() -> None:
    frame = visits(100).with_columns(y=pl.col("y") * 10**6, a=pl.col("a") * 1e4)
    found = scored(model(frame), frame)["Scored Labels"].to_numpy()
    assert np.isfinite(found).all()
    assert found.mean() == pytest.approx(float(np.mean(frame["y"].to_numpy())), rel=0.01)


def test_a_row_alone_is_scored_to_the_same_bit_as_in_a_table() -> None:
    frame = with_gaps(visits(100), "a", "day")
    found = model(frame)
    assert_frame_equal(scored_one_by_one(found, frame), scored(found, frame), check_exact=True)


def test_ranges_are_tried_from_their_first_value() -> None:
    ranged = model(
        create_trainer_mode="ParameterRange",
        optimization_tolerance_range={"values": [1e-13]},
        l1_regularization_weight_range={"values": [0]},
        l2_regularization_weight_range={"values": [10, 1]},
        memory_size_for_l_bfgs_range={"values": [5]},
    )
    expected = model(l2_regularization_weight=10.0, memory_size_for_l_bfgs=5, **EXACT)
    assert ranged.formula == expected.formula
