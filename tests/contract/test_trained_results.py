"""What learners make of the same rows is known, so that a change of it is noticed and told.

    python -m tests.contract.test_trained_results      # records the results as they are

A learner that gives other results than a release of it did gets a new version, whose `from_v…` hands the
parameters on as they are (docs/decisions/0084), and a line of the changelog.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from modelwright.components.context import Context
from modelwright.components.learning.learner import Learner, RowsLearner
from modelwright.components.learning.training import SUPERVISED, train
from modelwright.components.learning.unlabelled import train_unlabelled
from modelwright.components.library import library
from modelwright.components.palette.classification.two_class_logistic_regression import (
    TwoClassLogisticRegression,
)
from modelwright.data.schema import Task
from modelwright.data.table import Table

RECORDED = Path(__file__).parent / "snapshots" / "trained_results.json"
ONE = Context(threads=1)
ROWS, SHOWN = 160, 4

LEARNERS = {
    c.__component__.id: c
    for c in library()
    if issubclass(c, Learner) and not issubclass(c, RowsLearner)
}


def rows() -> pl.DataFrame:
    """Numbers and texts, and of each kind a column to predict."""
    chance = np.random.default_rng(11)
    a, b = chance.normal(size=ROWS), chance.uniform(-2, 2, ROWS)
    kind = chance.choice(list("pqrs"), ROWS)
    number = np.exp((a - b + (kind == "q") + chance.normal(0, 0.5, ROWS)) / 3)
    return pl.DataFrame(
        {
            "a": a,
            "b": b,
            "kind": kind,
            "number": number,
            "two": np.where(number > 1, "more", "less"),
            "three": np.select([number > 1.5, number > 0.8], ["much", "some"], "little"),
        }
    )


def result(name: str) -> dict[str, Any]:
    """The version of a learner, and how a model of its defaults scores the first rows."""
    made: Any = LEARNERS[name]()
    learner: Learner = (
        made.around(TwoClassLogisticRegression()) if hasattr(made, "around") else made
    )
    frame = rows()
    features = frame.select("a", "b", "kind")
    if learner.task in SUPERVISED:
        label = {Task.TWO_CLASS: "two", Task.MULTICLASS: "three"}.get(learner.task, "number")
        model = train(learner, Table(features.with_columns(frame[label])), label, ONE)
    else:
        table = Table(features)
        model = train_unlabelled(learner, table, table.schema, ONE, None)
    scored = model.score(Table(features.head(SHOWN))).frame.drop(features.columns)
    scores = {
        column.name: [round(float(v), 5) for v in column]
        for column in scored.iter_columns()
        if column.dtype == pl.Float64
    }
    return {"version": learner.__component__.version, "scores": scores}


@pytest.mark.parametrize("name", LEARNERS)
def test_a_learner_gives_the_results_that_are_recorded_of_its_version(name: str) -> None:
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    assert name in recorded, "a new learner: record its results, see the top of this file"
    found, known = result(name), recorded[name]
    assert found["version"] == known["version"], "record the results of the new version"
    assert found["scores"].keys() == known["scores"].keys()
    for column, values in found["scores"].items():
        assert values, column
        # What two processors round differently is far smaller.
        assert values == pytest.approx(known["scores"][column], rel=1e-3, abs=1e-3), (
            f"{name} gives other results: see the top of this file"
        )


def test_no_results_are_recorded_of_a_learner_that_is_gone() -> None:
    assert json.loads(RECORDED.read_text(encoding="utf-8")).keys() == LEARNERS.keys()


if __name__ == "__main__":
    found = {name: result(name) for name in sorted(LEARNERS)}
    RECORDED.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
