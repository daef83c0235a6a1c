from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.components.learning.trials import fitted, scored, scored_one_by_one, with_gaps

from modelwright.components.context import Context
from modelwright.components.learning.errors import InfiniteValues
from modelwright.components.learning.scoring import outline_of_scoring
from modelwright.components.learning.training import outline_of_training
from modelwright.components.outline import LearnerOutline, TableOutline, outline_of
from modelwright.components.palette.model_scoring_and_evaluation.evaluate_model import (
    EvaluateModel,
)
from modelwright.components.palette.regression.decision_forest_regression import (
    DecisionForestRegression,
)
from modelwright.data.fitted import Model
from modelwright.data.table import Table


def hills(rows: int = 400) -> pl.DataFrame:
    chance = np.random.default_rng(rows)
    a, b = chance.uniform(-3, 3, rows), chance.normal(size=rows)
    kind = chance.choice(list("pqrstu"), rows)
    y = np.abs(a) * 10 + np.isin(kind, ["q", "t"]) * 8 + chance.normal(0, 0.5, rows)
    return pl.DataFrame({"a": a, "b": b, "kind": kind, "y": y})


def forest(frame: pl.DataFrame | None = None, **parameters: Any) -> Model:
    return fitted(DecisionForestRegression(**parameters), hills() if frame is None else frame)


def error(model: Model, frame: pl.DataFrame) -> float:
    off = (scored(model, frame)["Scored Labels"] - frame["y"]).to_numpy()
    return float((off**2).mean())


def nodes(model: Model) -> dict[str, np.ndarray]:
    evaluator: Any = model.natives["forest"].evaluator
    return {
        name: getattr(evaluator, f"_{name}") for name in ("roots", "test", "low", "high", "figures")
    }


def depth(model: Model) -> int:
    tree = nodes(model)

    def below(node: int) -> int:
        if tree["test"][node] < 0:
            return 0
        return 1 + max(below(int(tree["low"][node])), below(int(tree["high"][node])))

    return max(below(int(root)) for root in tree["roots"])


def test_what_was_not_seen_is_predicted() -> None:
    held_out = hills(500)
    assert error(forest(), held_out) < 0.1 * float(held_out["y"].to_numpy().var())


def test_there_are_as_many_trees_as_asked_for() -> None:
    assert len(nodes(forest(number_of_decision_trees=3))["roots"]) == 3


def test_no_tree_is_deeper_than_allowed() -> None:
    assert depth(forest()) > 4
    assert depth(forest(maximum_depth_of_the_decision_trees=4)) == 4


def test_larger_leaves_make_fewer_of_them() -> None:
    free = forest(resampling_method="Replicate")
    bound = forest(resampling_method="Replicate", minimum_number_of_samples_per_leaf_node=40)
    assert len(nodes(bound)["figures"]) <= 8 * 400 / 40
    assert len(nodes(free)["figures"]) > 8 * 400 / 40


def test_every_tree_sees_all_rows_when_they_are_replicated() -> None:
    frame = hills()
    replicated = forest(resampling_method="Replicate", number_of_random_splits_per_node=1)
    # Fully grown on all rows, each tree knows every row by heart; one on a drawn sample does not.
    assert error(replicated, frame) == pytest.approx(0, abs=1e-12)
    assert error(forest(number_of_random_splits_per_node=1), frame) > 0.1


def test_fewer_questions_per_node_make_the_trees_differ_more() -> None:
    held_out = hills(500)

    def spread(splits: int) -> float:
        model = forest(
            resampling_method="Replicate",
            number_of_random_splits_per_node=splits,
            minimum_number_of_samples_per_leaf_node=5,
        )
        return float(np.mean(scored(model, held_out)["Scored Label Standard Deviation"].to_numpy()))

    assert spread(1) > 1.5 * spread(500)


def test_mean_and_deviation_are_those_of_the_mixture_of_the_trees() -> None:
    frame = hills(60).select("a", "y")
    one = forest(frame, number_of_decision_trees=1, maximum_depth_of_the_decision_trees=1,
                 resampling_method="Replicate")  # fmt: skip
    found = scored(one, frame).with_columns(frame["y"])
    for (mean, deviation), leaf in found.group_by(
        "Scored Labels", "Scored Label Standard Deviation"
    ):
        assert mean == pytest.approx(leaf["y"].mean())
        assert deviation == pytest.approx(leaf["y"].std(ddof=0))
    many = forest(frame, maximum_depth_of_the_decision_trees=1)
    figures = nodes(many)["figures"]
    assert figures.shape[1] == 2
    widest = scored(many, frame)["Scored Label Standard Deviation"].max()
    assert isinstance(widest, float)
    assert widest <= float(frame["y"].std(ddof=0)) * 1.5  # type: ignore[arg-type]


def test_a_row_alone_is_scored_to_the_same_bit_as_in_a_table() -> None:
    frame = with_gaps(hills(200), "a", "kind")
    model = forest(frame)
    unseen = frame.with_columns(kind=pl.lit("never"))
    for rows in (frame, unseen):
        assert_frame_equal(scored_one_by_one(model, rows), scored(model, rows), check_exact=True)


def test_equal_data_give_equal_bytes() -> None:
    assert forest().natives["forest"].content == forest().natives["forest"].content


def test_importance_names_what_matters_first() -> None:
    importance = forest().learnt["importance"]
    assert [line["feature"] for line in importance] == ["a", "kind", "b"]
    assert sum(line["gain"] for line in importance) == pytest.approx(1.0)


def test_the_deviation_is_known_before_the_run() -> None:
    rows = Table(hills())
    learner = DecisionForestRegression().outline()["untrained_model"]
    assert isinstance(learner, LearnerOutline)
    model = outline_of_training(learner, TableOutline(rows.schema, rows=rows.rows), "y")
    known = outline_of_scoring(model, TableOutline(rows.schema, rows=rows.rows))
    labelled = forest().score(rows)
    assert known.schema.drop(["y"]) == labelled.schema.drop(["y"])
    assert model == outline_of(forest())


def test_the_deviation_does_not_disturb_the_evaluation() -> None:
    rows = Table(hills())
    found = EvaluateModel().run(forest().score(rows), context=Context()).frame
    assert found["Coefficient_of_Determination"][0] > 0.9


def test_a_number_too_large_for_trees_is_refused() -> None:
    with pytest.raises(InfiniteValues, match='"a"'):
        forest(hills(20).with_columns(a=pl.lit(1e300)))


def test_ranges_are_tried_from_their_first_value() -> None:
    ranged = forest(
        create_trainer_mode="ParameterRange",
        number_of_decision_trees_range={"values": [2, 9]},
        maximum_depth_of_the_decision_trees_range={"values": [3]},
        number_of_random_splits_per_node_range={"values": [5]},
        minimum_number_of_samples_per_leaf_node_range={"values": [4]},
    )
    expected = forest(
        number_of_decision_trees=2,
        maximum_depth_of_the_decision_trees=3,
        number_of_random_splits_per_node=5,
        minimum_number_of_samples_per_leaf_node=4,
    )
    assert ranged.natives["forest"].content == expected.natives["forest"].content
