"""A text column of many values is never written out as a matrix of 0 and 1, by any learner."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from modelwright.components.learning.learner import Learner, RowsLearner
from modelwright.components.library import library

ROWS, VALUES = 20_000, 5_000
MATRIX = ROWS * VALUES * 4
"""Bytes of the matrix, in the smaller of the two kinds of numbers that learners work with."""

LEARNERS = [
    c.__component__.id
    for c in library()
    if issubclass(c, Learner) and not issubclass(c, RowsLearner)
]

PROGRAM = """
import json, sys
# Libraries are loaded first, since they are not what a matrix takes.
import lightgbm, sklearn.ensemble, sklearn.linear_model
import numpy as np, polars as pl
from modelwright.components.context import Context
from modelwright.components.learning.training import train
from modelwright.components.learning.unlabelled import train_unlabelled
from modelwright.components.library import library
from modelwright.components.palette.model_scoring_and_evaluation.cross_validate_model import (
    CrossValidateModel,
)
from modelwright.components.palette.model_training.tune_model_hyperparameters import (
    TuneModelHyperparameters,
)
from modelwright.data.schema import Task
from modelwright.data.table import Table

FEW = {
    "number_of_learning_iterations": 1,
    "number_of_trees_constructed": 5,
    "number_of_trees": 3,
    "number_of_decision_trees": 1,
    "maximum_depth_of_the_decision_trees": 8,
}
ROWS, VALUES = int(sys.argv[1]), int(sys.argv[2])
ONE = Context(threads=1)
chance = np.random.default_rng(0)
names = np.array([f"category {n:05d}" for n in range(VALUES)])
drawn = chance.integers(0, VALUES, ROWS)
features = Table(pl.DataFrame({"category": names[drawn], "a": chance.normal(size=ROWS)}))

def made(name):
    learner = library().find(name)
    return learner.model_validate({k: v for k, v in FEW.items() if k in learner.model_fields})

def peak():
    # Not ru_maxrss, which begins with what the process that started this one had.
    return int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) * 1024

def trained(learner):
    if learner.task in (Task.CLUSTERING, Task.ANOMALY):
        return train_unlabelled(learner, features, features.schema, ONE, None)
    count = 3 if learner.task is Task.MULTICLASS else 2
    label = pl.Series((drawn % count).astype(int))
    return train(learner, Table(features.frame.with_columns(y=label)), "y", ONE)

def measured(name):
    learner = made(name)
    if hasattr(learner, "around"):
        learner = learner.around(made("two-class-logistic-regression"))
    # The peak begins anew with what is held now.
    open("/proc/self/clear_refs", "w").write("5")
    before = peak()
    trained(learner).score(features)
    return peak() - before

def tried(step, name):
    label = pl.Series((drawn % 2).astype(int))
    rows = Table(features.frame.with_columns(y=label))
    open("/proc/self/clear_refs", "w").write("5")
    before = peak()
    step.run(made(name).run(), rows, context=ONE)
    return peak() - before

found = {}
for name in sys.argv[3:]:
    found[name] = measured(name)
for name in ("linear-regression", "two-class-averaged-perceptron"):
    found["cross-validate-model " + name] = tried(CrossValidateModel(label_column="y"), name)
    found["tune-model-hyperparameters " + name] = tried(
        TuneModelHyperparameters(label_column="y", runs=2), name
    )
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def taken() -> dict[str, int]:
    """Bytes that training and scoring took at the most beyond what was held before, by learner."""
    command = [sys.executable, "-c", PROGRAM, str(ROWS), str(VALUES), *LEARNERS]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the peak is counted in other units")
@pytest.mark.parametrize("learner", LEARNERS)
def test_a_column_of_many_values_is_never_a_matrix_of_its_own(
    taken: dict[str, int], learner: str
) -> None:
    assert taken[learner] < MATRIX / 2


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the peak is counted in other units")
@pytest.mark.parametrize("step", ["cross-validate-model", "tune-model-hyperparameters"])
@pytest.mark.parametrize("learner", ["linear-regression", "two-class-averaged-perceptron"])
def test_nor_is_it_where_a_learner_is_tried_on_folds(
    taken: dict[str, int], step: str, learner: str
) -> None:
    assert taken[f"{step} {learner}"] < MATRIX / 2
