"""Columns that say little or nothing: every learner lives with them, and none makes something of nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from modelwright.components.context import Context
from modelwright.components.learning.learner import Learner, RowsLearner
from modelwright.components.learning.training import train
from modelwright.components.learning.unlabelled import train_unlabelled
from modelwright.components.library import library
from modelwright.components.palette.classification.two_class_support_vector_machine import (
    TwoClassSupportVectorMachine,
)
from modelwright.data.errors import ModelwrightError
from modelwright.data.fitted import Model
from modelwright.data.schema import Task
from modelwright.data.table import Table
from tests.components.learning.trials import scored, scored_one_by_one

ROWS = 37
X = np.random.default_rng(0).normal(size=ROWS)
K = np.where(X > 0, "up", "down")
QUICK = {"number_of_learning_iterations": 4}


def learners() -> list[Learner]:
    """Every learner of numbers and categories."""
    made: list[Learner] = []
    for kind in library():
        if not issubclass(kind, Learner) or issubclass(kind, RowsLearner):
            continue
        learner = kind()
        if around := getattr(learner, "around", None):
            learner = around(TwoClassSupportVectorMachine())
        elif QUICK.keys() <= kind.model_fields.keys():
            learner = learner.with_values(QUICK)
        made.append(learner)
    return made


EVERY = pytest.mark.parametrize("learner", learners(), ids=lambda found: found.__component__.id)


def labels(task: Task) -> pl.Series:
    if task is Task.TWO_CLASS:
        return pl.Series("y", np.where(X > 0.1, "p", "q"))
    if task is Task.MULTICLASS:
        return pl.Series("y", np.select([X > 0.5, X > -0.5], ["p", "q"], "r"))
    return pl.Series("y", np.round(np.abs(X) + 1, 1))


def fitted(learner: Learner, frame: pl.DataFrame) -> Model:
    if learner.task in (Task.CLUSTERING, Task.ANOMALY):
        table = Table(frame)
        return train_unlabelled(learner, table, table.schema, Context(), None)
    return train(learner, Table(frame.with_columns(labels(learner.task))), "y", Context())


@EVERY
def test_texts_are_enough_to_learn_from(learner: Learner) -> None:
    chance = np.random.default_rng(1)
    frame = pl.DataFrame({"k": K, "m": chance.choice(list("abc"), ROWS)})
    model = fitted(learner, frame)
    found = scored(model, frame)
    assert found.null_count().sum_horizontal().item() == 0
    assert_frame_equal(scored_one_by_one(model, frame), found, check_exact=True)


@EVERY
@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e6 + 0.1])
def test_a_number_that_never_changed_moves_no_answer(learner: Learner, value: float) -> None:
    frame = pl.DataFrame({"x": X, "c": [value] * ROWS, "k": K})
    model = fitted(learner, frame)
    other = scored(model, frame.with_columns(c=pl.lit(value * 1.5)))
    if learner.task in (Task.CLUSTERING, Task.ANOMALY):
        # What was alike and is no more is far off, from all centres and from what is normal.
        names = [c.name for c in model.scores if c.score and c.score.content == "assignment"]
        assert_frame_equal(other.select(names), scored(model, frame).select(names))
    else:
        assert_frame_equal(other, scored(model, frame), abs_tol=1e-6)


HUGE = [1.7976931348623157e308, -1e200, 1e151]


@EVERY
@pytest.mark.parametrize("value", HUGE)
def test_numbers_too_large_to_count_with_are_refused(learner: Learner, value: float) -> None:
    frame = pl.DataFrame({"x": X, "z": [*X[1:], value]})
    with pytest.raises(ModelwrightError, match=r'Column "z" .* too large to count with') as refused:
        fitted(learner, frame)
    assert refused.value.code == "infinite-values"


SMALL: dict[str, Callable[[], pl.DataFrame]] = {
    "hardly different": lambda: pl.DataFrame({"x": X * 1e-310, "k": K}),
    "hardly any": lambda: pl.DataFrame({"x": [*[None] * (ROWS - 2), 1.0, 2.0], "k": K}),
}


@EVERY
@pytest.mark.parametrize("case", SMALL)
def test_numbers_that_hardly_differ_or_are_hardly_there_are_learnt_from(
    learner: Learner, case: str
) -> None:
    frame = SMALL[case]()
    numbers = scored(fitted(learner, frame), frame).select(pl.selectors.float()).to_numpy()
    assert np.isfinite(numbers).all()
