from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import polars as pl
import pytest

from modelwright.components.context import Context
from modelwright.components.learning.metrics import area_under_roc
from modelwright.components.learning.training import train
from modelwright.components.palette.classification.two_class_boosted_decision_tree import (
    TwoClassBoostedDecisionTree,
)
from modelwright.data.fitted import Model
from modelwright.data.table import Table


def rows(count: int = 600) -> pl.DataFrame:
    """Bought when b is in the middle and the kind is right: no line tells it."""
    chance = np.random.default_rng(count)
    a, b = chance.normal(size=count), chance.normal(size=count)
    kind = chance.choice(list("uvwxyz"), count)
    middle = (np.abs(b) < 0.7) & np.isin(kind, ["u", "w", "z"])
    noisy = middle ^ (chance.random(count) < 0.05)
    return pl.DataFrame({"a": a, "b": b, "kind": kind, "bought": np.where(noisy, "yes", "no")})


def fitted(frame: pl.DataFrame | None = None, **parameters: Any) -> Model:
    frame = rows() if frame is None else frame
    learner = TwoClassBoostedDecisionTree(**{"number_of_trees_constructed": 20, **parameters})
    return train(learner, Table(frame), "bought", Context())


def probabilities(model: Model, frame: pl.DataFrame | None = None) -> np.ndarray:
    scored = model.score(Table(rows() if frame is None else frame)).frame
    return scored["Scored Probabilities"].to_numpy()


def trees(model: Model) -> list[dict[str, Any]]:
    text = model.natives["trees"].content.decode()
    found: list[dict[str, Any]] = lightgbm.Booster(model_str=text).dump_model()["tree_info"]
    return found


def smallest_leaf(node: dict[str, Any]) -> int:
    if "leaf_count" in node:
        return int(node["leaf_count"])
    return min(smallest_leaf(node["left_child"]), smallest_leaf(node["right_child"]))


def test_a_pattern_that_no_line_tells_is_learnt() -> None:
    held_out = rows(700)
    area = area_under_roc(
        (held_out["bought"] == "yes").to_numpy(), probabilities(fitted(), held_out)
    )
    assert area is not None
    assert area > 0.9


def test_probabilities_are_those_of_lightgbm_on_the_same_numbers() -> None:
    frame = rows()
    level = {k: float(i) for i, k in enumerate("uvwxyz")}
    matrix = np.column_stack(
        [frame["a"], frame["b"], frame["kind"].replace_strict(level, return_dtype=pl.Float64)]
    )
    parameters = {
        "objective": "binary",
        "num_leaves": 20,
        "min_data_in_leaf": 1,
        "lambda_l2": 10.0,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "feature_fraction_bynode": 0.7,
        "min_data_per_group": 1,
        "max_cat_to_onehot": 64,
        "learning_rate": 0.2,
        "deterministic": True,
        "force_col_wise": True,
        "seed": 0,
        "verbosity": -1,
    }
    data = lightgbm.Dataset(
        matrix, (frame["bought"] == "yes").to_numpy(), categorical_feature=[2], params=parameters
    )
    expected = lightgbm.train(parameters, data, 20).predict(matrix)
    np.testing.assert_array_equal(probabilities(fitted()), expected)


def test_there_are_as_many_trees_as_asked_for() -> None:
    assert len(trees(fitted(number_of_trees_constructed=3))) == 3
    assert len(trees(fitted(number_of_trees_constructed=1))) == 1


def test_no_tree_has_more_leaves_than_allowed() -> None:
    assert max(t["num_leaves"] for t in trees(fitted())) == 20
    assert {t["num_leaves"] for t in trees(fitted(maximum_number_of_leaves_per_tree=2))} == {2}


def test_leaves_hold_the_fewest_rows_asked_for() -> None:
    free, bound = fitted(), fitted(minimum_number_of_samples_per_leaf_node=30)
    # Of later trees the library knows the number of rows only roughly.
    assert smallest_leaf(trees(free)[0]["tree_structure"]) < 30
    assert smallest_leaf(trees(bound)[0]["tree_structure"]) >= 30


def test_a_smaller_learning_rate_moves_less() -> None:
    slow = np.abs(probabilities(fitted(learning_rate=0.01)) - 0.3).mean()
    fast = np.abs(probabilities(fitted(learning_rate=0.5)) - 0.3).mean()
    assert slow < fast / 2


def test_the_seed_draws_the_rows_of_each_tree() -> None:
    chance = np.random.default_rng(0)
    # Of a single feature, which every split has to take.
    x = chance.normal(size=600)
    frame = pl.DataFrame({"x": x, "bought": x + chance.normal(size=600) > 0})

    def splits(seed: int) -> list[float]:
        model = fitted(frame, number_of_trees_constructed=3, random_number_seed=seed)
        return [t["tree_structure"]["threshold"] for t in trees(model)]

    assert splits(1) == splits(1)
    assert splits(1) != splits(2)
    assert len(set(splits(1))) > 1


def test_a_tree_is_grown_on_a_part_of_the_rows() -> None:
    frame = rows()
    (tree,) = trees(fitted(number_of_trees_constructed=1))
    # The library counts rows by their weights, which is a little off.
    assert tree["tree_structure"]["internal_count"] == pytest.approx(0.7 * frame.height, rel=0.02)


def test_a_split_chooses_from_a_part_of_the_features() -> None:
    chance = np.random.default_rng(0)
    matrix = chance.normal(size=(500, 10))
    frame = pl.DataFrame(matrix, schema=[f"x{at}" for at in range(10)])
    frame = frame.with_columns(bought=pl.col("x4") > 0)
    roots = [t["tree_structure"]["split_feature"] for t in trees(fitted(frame))]
    # The one that tells all is asked first where it may be.
    assert 0 < sum(at != 4 for at in roots) < len(roots) / 2


def test_ranges_are_tried_from_their_first_value() -> None:
    ranged = fitted(
        create_trainer_mode="ParameterRange",
        maximum_number_of_leaves_per_tree_range={"values": [5, 9]},
        minimum_number_of_samples_per_leaf_node_range={"values": [3]},
        learning_rate_range={"values": [0.4]},
        number_of_trees_constructed_range={"values": [4, 8]},
    )
    assert [t["num_leaves"] for t in trees(ranged)] == [5] * 4


def test_missing_and_unseen_values_are_scored() -> None:
    frame = rows().with_columns(pl.when(pl.int_range(pl.len()) % 7 != 0).then(pl.col("b", "kind")))
    model = fitted(frame)
    odd = pl.DataFrame({"a": [None, 0.0], "b": [None, None], "kind": [None, "never"]})
    scored = model.score(Table(odd.cast({"a": pl.Float64, "b": pl.Float64}))).frame
    assert scored["Scored Probabilities"].null_count() == 0
    assert scored["Scored Labels"].null_count() == 0


def test_a_row_alone_is_scored_to_the_same_bit_as_in_a_table() -> None:
    frame = rows().with_columns(pl.when(pl.col("b") > -1).then(pl.col("b", "kind")))
    model = fitted(frame)
    program = model.formula.compile_rows(model.features, natives=model.natives)
    asked = frame.select(model.features.names).rows(named=True)
    replies: Any = [program.score(row) for row in asked]
    found = [reply["Scored Probabilities"] for reply in replies]
    assert found == probabilities(model, frame).tolist()


def test_importance_names_what_matters_first() -> None:
    importance = fitted().learnt["importance"]
    assert {line["feature"] for line in importance[:2]} == {"b", "kind"}
    assert sum(line["gain"] for line in importance) == pytest.approx(1.0)


def test_equal_settings_give_equal_bytes_whatever_the_number_of_threads() -> None:
    learner = TwoClassBoostedDecisionTree(number_of_trees_constructed=5)
    first, second = (
        train(learner, Table(rows()), "bought", Context(threads=t)).natives["trees"].content
        for t in (1, 2)
    )
    assert first == second
