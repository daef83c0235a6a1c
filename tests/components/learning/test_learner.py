from __future__ import annotations

from typing import Any

import pytest

from modelwright.components.errors import InvalidParameter, UnknownComponent
from modelwright.components.learning.errors import WrongLearner
from modelwright.components.learning.learner import Learner
from modelwright.components.outline import LearnerOutline
from modelwright.components.palette.classification.two_class_boosted_decision_tree import (
    TwoClassBoostedDecisionTree,
)
from modelwright.components.parameters import Range
from modelwright.data.fitted import UntrainedModel
from modelwright.data.schema import Task


def untrained(component: str, **parameters: Any) -> UntrainedModel:
    return UntrainedModel(Task.TWO_CLASS, component, 1, parameters)


def test_a_learner_travels_as_data_and_comes_back_equal() -> None:
    learner = TwoClassBoostedDecisionTree(number_of_trees_constructed=7, learning_rate=0.5)
    assert Learner.of(learner.run()) == learner


def test_task_and_title_are_known_before_any_run() -> None:
    outline = TwoClassBoostedDecisionTree().outline()["untrained_model"]
    assert outline == LearnerOutline(Task.TWO_CLASS, "Two-Class Boosted Decision Tree")


def test_fixed_values_leave_no_ranges() -> None:
    assert TwoClassBoostedDecisionTree().ranges() == {}


def test_ranges_are_given_in_the_type_of_their_parameter() -> None:
    learner = TwoClassBoostedDecisionTree(
        create_trainer_mode="ParameterRange",
        number_of_trees_constructed_range=Range(values=(5, 10)),
        learning_rate_range=Range(minimum=0.01, maximum=1, steps=3, scale="log"),
    )
    ranges = learner.ranges()
    assert ranges["number_of_trees_constructed"] == (5, 10)
    assert all(isinstance(n, int) for n in ranges["number_of_trees_constructed"])
    assert ranges["learning_rate"] == pytest.approx((0.01, 0.1, 1.0))


def test_a_span_of_whole_numbers_is_cut_into_whole_numbers() -> None:
    learner = TwoClassBoostedDecisionTree(
        create_trainer_mode="ParameterRange",
        number_of_trees_constructed_range=Range(minimum=5, maximum=8, steps=6),
    )
    assert learner.ranges()["number_of_trees_constructed"] == (5, 6, 7, 8)


def test_training_once_takes_the_first_value_of_each_range() -> None:
    learner = TwoClassBoostedDecisionTree(
        create_trainer_mode="ParameterRange",
        number_of_trees_constructed_range=Range(values=(5, 10)),
        random_number_seed=4,
    )
    single = learner.single()
    assert single.create_trainer_mode == "SingleParameter"
    assert single.number_of_trees_constructed == 5
    assert single.maximum_number_of_leaves_per_tree == 2
    assert single.random_number_seed == 4


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"values": (5, 0)}, "0.0: Input should be greater than or equal to 1"),
        ({"values": (5.5,)}, "5.5: Input should be a valid integer"),
        ({"minimum": 1}, "a range needs values, or a minimum, a maximum and steps"),
    ],
)
def test_a_range_with_a_value_its_parameter_refuses_is_refused(
    values: dict[str, Any], why: str
) -> None:
    with pytest.raises(InvalidParameter) as caught:
        TwoClassBoostedDecisionTree.parse({"number_of_trees_constructed_range": values})
    assert caught.value.fields["parameter"] == "Number of trees constructed range"
    assert why in str(caught.value)


def test_a_component_that_is_no_learner_is_refused() -> None:
    with pytest.raises(WrongLearner, match="Split Data"):
        Learner.of(untrained("split-data"))


def test_a_learner_that_is_not_installed_is_refused() -> None:
    with pytest.raises(UnknownComponent, match="two-class-boosted-decision-tree"):
        Learner.of(untrained("two-class-bosted-decision-tree"))
