"""Training does no work beside that of the library it stands on: told by copies and calls, not by a clock."""

from __future__ import annotations

import lightgbm
import numpy as np
import polars as pl
import pytest

from modelwright.components.context import Context
from modelwright.components.learning import network
from modelwright.components.learning.boosting import boost, tree_frame, tree_matrix
from modelwright.components.learning.encoding import learn_encoding
from modelwright.components.learning.learner import TrainingData
from modelwright.components.learning.network import Course, learn
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
