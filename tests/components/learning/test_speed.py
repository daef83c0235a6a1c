"""Training does no work beside that of the library it stands on: told by copies and calls, not by a clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import lightgbm
import numpy as np
import polars as pl
import pytest

from modelwright.components.context import Context
from modelwright.components.learning import margins, network
from modelwright.components.learning.boosting import boost, tree_frame, tree_matrix
from modelwright.components.learning.centroids import plus_plus
from modelwright.components.learning.design import Design
from modelwright.components.learning.encoding import Encoded, Floats, learn_encoding
from modelwright.components.learning.learner import TrainingData
from modelwright.components.learning.network import Course, learn
from modelwright.components.palette.classification.two_class_averaged_perceptron import (
    TwoClassAveragedPerceptron,
)
from modelwright.components.palette.classification.two_class_support_vector_machine import (
    TwoClassSupportVectorMachine,
)
from modelwright.components.palette.clustering.k_means_clustering import KMeansClustering
from modelwright.data.schema import Column, ColumnType
from modelwright.data.table import Table

ROWS = 300
CHANCE = np.random.default_rng(0)
NUMBERS = pl.DataFrame(
    {
        "a": CHANCE.normal(size=ROWS),
        "b": [None if at % 7 == 0 else at % 5 for at in range(ROWS)],
        "c": np.where(CHANCE.random(ROWS) < 0.3, np.nan, CHANCE.normal(size=ROWS)),
    }
)
TEXTS = pl.DataFrame({"text": CHANCE.choice(["x", "y", "z"], ROWS)})
COURSE = Course(5, 0.05, 2, 0.1, 0.0, shuffle=True, seed=0)


def data_of(frame: pl.DataFrame) -> TrainingData:
    schema = Table(frame).schema
    encoded = learn_encoding(frame, schema).encode(frame)
    target = frame["a"].to_numpy() + np.arange(float(len(frame))) % 3
    return TrainingData(encoded, schema, target)


class Counted(Encoded):
    """Rows that tell how many of them were read."""

    read: ClassVar[int] = 0

    def block(self, start: int, stop: int) -> Floats:
        Counted.read += min(stop, self.rows) - start
        return super().block(start, stop)

    @classmethod
    def of(cls, data: TrainingData) -> TrainingData:
        """The same rows, of which none was read yet."""
        cls.read = 0
        own = data.encoded
        return replace(data, encoded=cls(own.encoding, own.rows, own.columns, own.codes))


def test_trees_are_grown_on_the_columns_where_they_lie() -> None:
    data = data_of(NUMBERS)
    handed = tree_frame(data.encoded)
    for given, own in ((handed["Column_0"], NUMBERS["a"]), (handed["Column_2"], NUMBERS["c"])):
        assert np.shares_memory(given.to_numpy(), own.to_numpy())


def test_trees_of_columns_are_those_of_a_matrix() -> None:
    data = data_of(pl.concat([NUMBERS, TEXTS], how="horizontal"))
    seen = data.encoded.encoding.encode(
        pl.concat([NUMBERS, TEXTS.with_columns(pl.lit("new").alias("text"))], how="horizontal")
    )
    for rows in (data.encoded, seen):
        expected = np.nan_to_num(tree_matrix(rows), nan=-1.0)
        np.testing.assert_array_equal(
            tree_frame(rows).cast(pl.Float64).fill_nan(-1.0).fill_null(-1.0).to_numpy(), expected
        )
    trees, _ = boost(
        data,
        Context(threads=1),
        objective={"objective": "regression"},
        leaves=8,
        fewest_rows=1,
        rate=0.2,
        trees=3,
        seed=0,
    )
    settings = {
        "objective": "regression",
        "num_leaves": 8,
        "min_data_in_leaf": 1,
        "min_data_per_group": 1,
        "max_cat_to_onehot": 64,
        "lambda_l2": 10.0,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "feature_fraction_bynode": 0.7,
        "learning_rate": 0.2,
        "seed": 0,
        "num_threads": 1,
        "deterministic": True,
        "force_col_wise": True,
        "verbosity": -1,
    }
    matrix = lightgbm.Dataset(tree_matrix(data.encoded), data.target, categorical_feature=[3])
    expected_text = lightgbm.train(settings, matrix, 3).model_to_string()
    assert expected_text.startswith(trees.content.decode().rstrip())


@pytest.mark.parametrize("texts", [False, True])
def test_a_network_without_categories_makes_no_indicators_of_them(
    texts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    real = network._indicators

    def counted(levels: network.Levels, count: int) -> object:
        made.append(count)
        return real(levels, count)

    monkeypatch.setattr(network, "_indicators", counted)
    frame = pl.concat([NUMBERS, TEXTS], how="horizontal") if texts else NUMBERS
    data = data_of(frame)
    learn(data.encoded, data.target, outputs=1, course=COURSE, context=Context(), learner="network")
    steps = COURSE.epochs * 50
    assert len(made) == (steps if texts else 0)


@pytest.mark.parametrize(
    "learner",
    [
        TwoClassAveragedPerceptron(),
        TwoClassSupportVectorMachine(),
        TwoClassSupportVectorMachine(project_to_the_unit_sphere=True),
    ],
)
@pytest.mark.parametrize("texts", [False, True])
def test_the_rows_of_a_margin_are_scaled_once(
    learner: TwoClassAveragedPerceptron | TwoClassSupportVectorMachine, texts: bool
) -> None:
    frame = pl.concat([NUMBERS, TEXTS], how="horizontal") if texts else NUMBERS
    data = data_of(frame)
    label = Column("y", ColumnType.INTEGER)
    target = (data.target > data.target.mean()).astype(np.float64)
    data = Counted.of(replace(data, target=target, label=label, classes=(0, 1)))
    learner.fit(data, Context())
    lengths = isinstance(learner, TwoClassSupportVectorMachine) and (
        learner.project_to_the_unit_sphere
    )
    assert Counted.read == ROWS * (2 if lengths else 1)


def test_the_line_over_the_margins_is_found_in_a_few_passes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[int] = []
    real = margins._of_line

    def counted(
        values: Floats, wanted: Floats, blocks: Sequence[slice], line: Floats
    ) -> tuple[float, Floats, Floats]:
        seen.append(sum(len(values[rows]) for rows in blocks))
        return real(values, wanted, blocks, line)

    monkeypatch.setattr(margins, "_of_line", counted)
    count = 40 * margins.BLOCK
    values = CHANCE.normal(size=count)
    target = (CHANCE.uniform(size=count) < 1 / (1 + np.exp(1 - 3 * values))).astype(np.float64)
    slope, offset = margins.calibrate(values, target)
    assert (slope, offset) == pytest.approx((3.0, -1.0), rel=0.05)
    assert sum(seen) < 5 * count


def test_rows_far_apart_are_drawn_in_a_pass_for_each_but_the_last() -> None:
    data = Counted.of(data_of(pl.concat([NUMBERS, TEXTS], how="horizontal")))
    design = Design(data.encoded)
    assert len(plus_plus(design, 5, np.random.default_rng(0))) == 5
    # One for the lengths of the rows, four for distances, and the five rows themselves.
    assert Counted.read == ROWS * (1 + 4) + 5


def test_clustering_keeps_the_rows_that_it_scaled() -> None:
    data = Counted.of(data_of(pl.concat([NUMBERS, TEXTS], how="horizontal")))
    KMeansClustering(number_of_centroids=4, iterations=9).fit(data, Context())
    assert Counted.read == ROWS + 4
