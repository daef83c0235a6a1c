"""Every setting of every learner changes what is learnt, in the direction that it says."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from modelwright.components.learning.learner import Learner, RowsLearner
from modelwright.components.learning.sweep import values_of
from modelwright.components.library import library
from modelwright.components.parameters import Range
from modelwright.data.fitted import Model
from tests.contract.settings_that_act import CASES, Case, Seeded, trial

# What a learner that is a script makes of its settings is up to the script: see its own tests.
LEARNERS = sorted(
    c.__component__.id
    for c in library()
    if issubclass(c, Learner) and not issubclass(c, RowsLearner)
)
MODES = ("create_trainer_mode", "training_mode")
MODAL = [
    (component_id, mode)
    for component_id in LEARNERS
    for mode in MODES
    if (found := library().find(component_id).model_fields.get(mode))
    and "ParameterRange" in get_args(found.annotation)
]
RANGED = [
    (component_id, name.removesuffix("_range"))
    for component_id in LEARNERS
    for name, value in library().find(component_id).model_fields.items()
    if value.annotation is Range
]


def settings_of(component_id: str) -> set[str]:
    """The parameters that can be set to different values, save those that prepare a sweep."""
    fields = library().find(component_id).model_fields
    return {
        name
        for name, field in fields.items()
        if name not in MODES
        and field.annotation is not Range
        and len(get_args(field.annotation)) != 1
    }


@pytest.mark.parametrize("component_id", LEARNERS)
def test_each_setting_of_a_learner_has_a_case(component_id: str) -> None:
    assert set(CASES.get(component_id, ())) == settings_of(component_id)


@pytest.mark.parametrize(
    ("component_id", "name", "case"),
    [
        pytest.param(component_id, name, case, id=f"{component_id}-{name}")
        for component_id, cases in CASES.items()
        for name, case in cases.items()
        if isinstance(case, Case)
    ],
)
def test_a_setting_changes_the_fit_in_its_direction(
    component_id: str, name: str, case: Case
) -> None:
    less, more = (
        case.figure(trial(component_id, {**case.also, name: value}, case.features))
        for value in (case.less, case.more)
    )
    assert more > less + 1e-9 * abs(less)


@pytest.mark.parametrize(
    ("component_id", "case"),
    [
        pytest.param(component_id, case, id=component_id)
        for component_id, cases in CASES.items()
        for case in cases.values()
        if isinstance(case, Seeded)
    ],
)
def test_another_seed_is_another_draw_and_the_same_seed_the_same(
    component_id: str, case: Seeded
) -> None:
    def model(seed: int) -> Model:
        return trial(component_id, {**case.also, "random_number_seed": seed}).model()

    def content(model: Model) -> tuple[Any, ...]:
        return model.formula, {n: v.content for n, v in model.natives.items()}

    one, again, other = (content(model(seed)) for seed in (3, 3, 4))
    assert one == again
    assert one != other


@pytest.mark.parametrize(("component_id", "name"), RANGED)
def test_a_range_is_swept_when_its_setting_matters(component_id: str, name: str) -> None:
    learner = library().find(component_id)
    assert issubclass(learner, Learner)
    # Settings that only gradient descent has are tried with it.
    chosen = (
        {"solution_method": "Online Gradient Descent"}
        if "solution_method" in learner.model_fields
        else {}
    )
    default = learner.model_validate(chosen).swept()[name]
    few = {"values": [float(v) for v in default[:2]]}
    found = learner.model_validate(
        {**chosen, **_mode(learner, "ParameterRange"), f"{name}_range": few}
    )
    assert values_of(found)[name] == default[:2]
    assert found.ranges()[name] == default[:2]


@pytest.mark.parametrize(("component_id", "mode"), MODAL)
def test_ranges_are_trained_once_with_the_first_value_of_each(component_id: str, mode: str) -> None:
    learner = library().find(component_id)
    assert issubclass(learner, Learner)
    ranged = learner.model_validate({mode: "ParameterRange"})
    plain = learner.model_validate({mode: "SingleParameter"})
    assert plain.ranges() == {}
    single = ranged.single()
    assert getattr(single, mode) == "SingleParameter"
    assert {n: getattr(single, n) for n in ranged.ranges()} == {
        n: values[0] for n, values in ranged.ranges().items()
    }


def _mode(learner: type[Learner], value: str) -> dict[str, str]:
    return {mode: value for mode in MODES if mode in learner.model_fields}
