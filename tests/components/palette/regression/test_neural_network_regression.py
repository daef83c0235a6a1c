from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.components.learning.trials import fitted, scored, scored_one_by_one, with_gaps

from modelwright.components.learning.errors import Diverged
from modelwright.components.palette.regression.neural_network_regression import (
    NeuralNetworkRegression,
)
from modelwright.data.fitted import Model


def bumps(rows: int = 300) -> pl.DataFrame:
    chance = np.random.default_rng(rows)
    a, b = chance.uniform(-2, 2, rows), chance.normal(1000, 50, rows)
    kind = chance.choice(list("pqr"), rows)
    y = 1e5 + 1e4 * (np.sin(2 * a) + (b - 1000) / 100 + (kind == "q"))
    return pl.DataFrame({"a": a, "b": b, "kind": kind, "y": y})


def network(frame: pl.DataFrame | None = None, **parameters: Any) -> Model:
    settings = {"number_of_hidden_nodes": 20, "learning_rate": 0.1, **parameters}
    return fitted(NeuralNetworkRegression(**settings), bumps() if frame is None else frame)


def explained(model: Model, frame: pl.DataFrame) -> float:
    off = (scored(model, frame)["Scored Labels"] - frame["y"]).to_numpy()
    return 1 - float((off**2).mean()) / float(frame["y"].to_numpy().var())


def weights(model: Model) -> dict[str, np.ndarray]:
    evaluator: Any = model.natives["network"].evaluator
    arrays: dict[str, np.ndarray] = evaluator._arrays
    return arrays


def test_what_was_not_seen_is_predicted() -> None:
    model = network(number_of_learning_iterations=300, the_initial_learning_weights_diameter=1.0)
    assert explained(model, bumps(500)) > 0.9


def test_there_are_as_many_nodes_as_asked_for() -> None:
    model = network(number_of_hidden_nodes=7, number_of_learning_iterations=1)
    assert weights(model)["hidden"].shape == (2, 7)
    assert weights(model)["levels"].shape == (4, 7)


def test_more_passes_fit_better() -> None:
    few, many = (network(number_of_learning_iterations=n) for n in (2, 60))
    assert explained(few, bumps()) < explained(many, bumps())


def test_a_tiny_learning_rate_learns_slowly() -> None:
    slow, fast = (network(learning_rate=r, number_of_learning_iterations=30) for r in (1e-4, 0.1))
    assert explained(slow, bumps()) < 0.1 < explained(fast, bumps())


def test_starting_weights_lie_within_the_diameter() -> None:
    still: dict[str, Any] = {"learning_rate": 1e-12, "number_of_learning_iterations": 1}
    for diameter in (0.1, 4.0):
        hidden = weights(network(the_initial_learning_weights_diameter=diameter, **still))["hidden"]
        assert 0.3 * diameter < np.abs(hidden).max() <= diameter / 2 + 1e-9


def test_momentum_goes_further_in_the_same_steps() -> None:
    start = weights(network(learning_rate=1e-12, number_of_learning_iterations=1))["output"]

    def way(momentum: float) -> float:
        moved = weights(
            network(the_momentum=momentum, learning_rate=0.001, number_of_learning_iterations=3)
        )
        return float(np.abs(moved["output"] - start).sum())

    assert way(0.9) > 3 * way(0.0)


def test_the_order_of_examples_depends_on_shuffling_and_seed() -> None:
    contents = [
        network(number_of_learning_iterations=2, **p).natives["network"].content
        for p in (
            {},
            {"random_number_seed": 1},
            {"shuffle_examples": False},
            {"shuffle_examples": False},
        )
    ]
    assert contents[2] == contents[3]
    assert len(set(contents)) == 3


def test_steps_too_long_diverge_and_say_so() -> None:
    with pytest.raises(Diverged, match=r'Neural Network Regression.*Lower "Learning rate"'):
        network(learning_rate=100)


def test_a_row_alone_is_scored_to_the_same_bit_as_in_a_table() -> None:
    frame = with_gaps(bumps(100), "a", "kind")
    model = network(frame, number_of_learning_iterations=3)
    unseen = frame.with_columns(kind=pl.lit("never"))
    for rows in (frame, unseen):
        assert_frame_equal(scored_one_by_one(model, rows), scored(model, rows), check_exact=True)


def test_a_gap_counts_as_the_mean_and_a_new_value_as_no_level() -> None:
    model = network(number_of_learning_iterations=3)
    mean = float(np.mean(bumps()["a"].to_numpy()))
    rows = pl.DataFrame({"a": [None, mean], "b": [1000.0, 1000.0], "kind": ["never", "other"]})
    found = scored(model, rows)["Scored Labels"]
    assert found[0] == pytest.approx(found[1])


def test_ranges_are_tried_from_their_first_value() -> None:
    ranged = fitted(
        NeuralNetworkRegression(
            create_trainer_mode="ParameterRange",
            number_of_hidden_nodes_range={"values": [5, 9]},
            learning_rate_range={"values": [0.02]},
            number_of_learning_iterations_range={"values": [2]},
        ),
        bumps(),
    )
    expected = network(
        number_of_hidden_nodes=5, learning_rate=0.02, number_of_learning_iterations=2
    )
    assert ranged.natives["network"].content == expected.natives["network"].content
