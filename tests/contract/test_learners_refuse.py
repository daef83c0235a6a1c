"""Data that cannot be learnt from are refused by every learner with the same words, and never by its library."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from modelwright.components.learning.learner import Learner
from modelwright.components.library import library
from modelwright.components.palette.classification.two_class_logistic_regression import (
    TwoClassLogisticRegression,
)
from modelwright.data.errors import ModelwrightError
from modelwright.data.schema import Task
from tests.components.learning.trials import fitted

ROWS = 40
CLASSES = (Task.TWO_CLASS, Task.MULTICLASS)
NUMBERS = (Task.REGRESSION, Task.QUANTILE_REGRESSION)
X = np.random.default_rng(0).normal(size=ROWS)
FEATURES = pl.DataFrame({"x": X, "k": ["a", "b"] * (ROWS // 2)})


def learners() -> list[Learner]:
    """Every learner of labelled rows; those of several classes by two around one of two classes."""
    made: list[Learner] = []
    for kind in library():
        if not issubclass(kind, Learner) or kind.__component__.id == "create-python-model":
            continue
        if around := getattr(kind(), "around", None):
            made.append(around(TwoClassLogisticRegression()))
        elif kind.task in (*CLASSES, *NUMBERS):
            made.append(kind())
    return made


def labels(task: Task) -> pl.Series:
    """A label that suits the task."""
    if task in NUMBERS:
        return pl.Series("y", np.abs(X) + 1)
    if task is Task.TWO_CLASS:
        return pl.Series("y", np.where(X > 0, "p", "q"))
    return pl.Series("y", np.select([X > 0.5, X > -0.5], ["p", "q"], "r"))


ALL = (*CLASSES, *NUMBERS)
CASES: dict[str, tuple[tuple[Task, ...], Callable[[pl.Series], pl.DataFrame]]] = {
    "label-all-missing": (ALL, lambda y: FEATURES.with_columns(y.clear(ROWS))),
    "one-class-only": (CLASSES, lambda y: FEATURES.with_columns(y=pl.lit("p"))),
    "label-not-discrete": (CLASSES, lambda y: FEATURES.with_columns(y=pl.col("x"))),
    "not-two-classes": (
        (Task.TWO_CLASS,),
        lambda y: FEATURES.with_columns(labels(Task.MULTICLASS)),
    ),
    "wrong-label-type": (NUMBERS, lambda y: FEATURES.with_columns(y=pl.col("k"))),
    "no-feature-columns": (ALL, lambda y: pl.DataFrame(y)),
    "wrong-column-type": (
        ALL,
        lambda y: FEATURES.select(x=pl.repeat(datetime.date(2020, 1, 1), pl.len())).with_columns(y),
    ),
    "all-missing-column": (
        ALL,
        lambda y: FEATURES.select(x=pl.repeat(None, pl.len(), dtype=pl.Float64)).with_columns(y),
    ),
    "infinite-values": (
        ALL,
        lambda y: FEATURES.with_columns(
            x=pl.when(pl.int_range(pl.len()) == 3).then(np.inf).otherwise(pl.col("x"))
        ).with_columns(y),
    ),
    "empty-table": (ALL, lambda y: FEATURES.with_columns(y).clear()),
    "too-few-labelled-rows": (ALL, lambda y: FEATURES.with_columns(y).head(1)),
}


@pytest.mark.parametrize("learner", learners(), ids=lambda found: found.__component__.id)
def test_data_that_cannot_be_learnt_from_are_refused(learner: Learner) -> None:
    found = {}
    for code, (tasks, rows) in CASES.items():
        if learner.task in tasks:
            with pytest.raises(ModelwrightError) as refused:
                fitted(learner, rows(labels(learner.task)))
            found[code] = refused.value.code
    assert len(found) > 7
    assert found == {code: code for code in found}
