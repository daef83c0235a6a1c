from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.components.learning.trials import fitted, scored, scored_one_by_one, with_gaps

from modelwright.components.learning import network
from modelwright.components.learning.learner import Learner
from modelwright.components.learning.network import Course, _Layers
from modelwright.components.palette.classification.multiclass_neural_network import (
    MulticlassNeuralNetwork,
)
from modelwright.components.palette.classification.two_class_neural_network import (
    TwoClassNeuralNetwork,
)

SETTINGS: dict[str, Any] = {
    "number_of_hidden_nodes": 16,
    "the_momentum": 0.9,
    "the_initial_learning_weights_diameter": 2.0,
    "number_of_learning_iterations": 300,
}
LEARNERS = [
    TwoClassNeuralNetwork(**SETTINGS),
    MulticlassNeuralNetwork(**SETTINGS),
]
EVERY = pytest.mark.parametrize("learner", LEARNERS, ids=lambda n: type(n).__name__)


def ring(rows: int = 400) -> pl.DataFrame:
    """Inside or outside of a ring, which no line tells apart."""
    chance = np.random.default_rng(rows)
    a, b = chance.uniform(-2, 2, rows), chance.uniform(-2, 2, rows)
    side = chance.choice(["left", "right"], rows)
    inside = a**2 + b**2 + (side == "left") < 2.2
    return pl.DataFrame({"a": a, "b": b, "side": side, "y": np.where(inside, "in", "out")})


@EVERY
def test_what_no_line_tells_apart_is_learnt(learner: Learner) -> None:
    held_out = ring(500)
    found = scored(fitted(learner, ring()), held_out)
    assert (found["Scored Labels"] == held_out["y"]).sum() > 0.9 * held_out.height


@EVERY
def test_a_row_alone_is_scored_to_the_same_bit_as_in_a_table(learner: Learner) -> None:
    frame = with_gaps(ring(100), "a", "side")
    quick = learner.with_values({"number_of_learning_iterations": 3})
    model = fitted(quick, frame)
    assert_frame_equal(scored_one_by_one(model, frame), scored(model, frame), check_exact=True)


def test_two_outputs_give_the_same_answers_for_two_classes_as_for_several() -> None:
    two, several = (fitted(learner, ring()) for learner in LEARNERS)
    assert_frame_equal(
        scored(two, ring()),
        scored(several, ring()).select(
            "Scored Labels", pl.col("Scored Probabilities_out").alias("Scored Probabilities")
        ),
    )


def test_several_classes_are_told_apart() -> None:
    chance = np.random.default_rng(0)
    kind = chance.integers(0, 4, 400)
    frame = pl.DataFrame(
        {
            "a": chance.normal(kind % 2, 0.2),
            "b": chance.normal(kind // 2, 0.2),
            "y": [("n", "e", "s", "w")[k] for k in kind],
        }
    )
    found = scored(fitted(LEARNERS[1], frame), frame)
    assert (found["Scored Labels"] == frame["y"]).sum() > 0.97 * frame.height


def test_weights_that_nothing_asks_for_fade_and_biases_stay() -> None:
    course = Course(2, 0.5, 1, 1.0, 0.0, shuffle=False, seed=0)
    layers = _Layers({"hidden": (3, 2), "bias": (2,)}, course, decay=0.1)
    before = {name: held.copy() for name, held in layers.weights.items()}
    layers.move({name: np.zeros_like(held) for name, held in before.items()})
    np.testing.assert_allclose(layers.weights["hidden"], before["hidden"] * (1 - 0.5 * 0.1))
    np.testing.assert_array_equal(layers.weights["bias"], before["bias"])


@pytest.mark.parametrize("momentum", [0.0, 0.6])
def test_levels_that_are_moved_when_asked_for_end_where_those_moved_at_once_do(
    momentum: float,
) -> None:
    course = Course(3, 0.5, 1, 1.0, momentum, shuffle=False, seed=0)
    shapes: dict[str, tuple[int, ...]] = {"levels": (50, 3)}
    at_once = _Layers(shapes, course, decay=0.1)
    rarely = _Layers(shapes, course, decay=0.1, rarely=True)
    chance = np.random.default_rng(0)
    for _ in range(40):
        asked = chance.integers(0, 50, (4, 1))
        rows, places = rarely.levels(asked)
        np.testing.assert_array_equal(rows[places], asked)
        np.testing.assert_allclose(rarely.weights["levels"][rows], at_once.weights["levels"][rows])
        slope = np.zeros((50, 3))
        slope[rows] = chance.normal(size=(len(rows), 3))
        rarely.move({"levels": slope[rows]}, rows)
        at_once.move({"levels": slope})
    rarely.catch_up()
    np.testing.assert_allclose(rarely.weights["levels"], at_once.weights["levels"])


def test_the_weights_are_the_mean_of_those_after_the_last_passes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def learnt(passes: int) -> dict[str, np.ndarray]:
        learner = TwoClassNeuralNetwork(
            number_of_hidden_nodes=16, number_of_learning_iterations=passes
        )
        inside: Any = fitted(learner, ring()).natives["network"].evaluator
        arrays: dict[str, np.ndarray] = inside._arrays
        return arrays

    mean = learnt(8)
    monkeypatch.setattr(network, "AVERAGED", 0.0)
    last, but_one = learnt(8), learnt(7)
    assert not np.allclose(last["hidden"], but_one["hidden"], atol=1e-6)
    for name in ("hidden", "bias", "output", "output_bias"):
        np.testing.assert_allclose(mean[name], (last[name] + but_one[name]) / 2)


def test_of_many_inputs_the_starting_weights_are_smaller() -> None:
    course = Course(50, 0.5, 1, 1.0, 0.0, shuffle=False, seed=0)
    few, many = (
        _Layers({"hidden": (10, 50)}, course, decay=0.1, inputs=inputs).weights["hidden"]
        for inputs in (10, 40)
    )
    np.testing.assert_allclose(many, few / 2)


def test_titles_are_those_of_the_component() -> None:
    two, several = (type(learner).__component__.parameters for learner in LEARNERS)
    assert "Learning rate" in {p.title for p in two}
    assert "The learning rate" in {p.title for p in several}
    assert {"The momentum", "The initial learning weights diameter"} <= {p.title for p in two}
