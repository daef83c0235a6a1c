"""Sums of trees by masks of their leaves are LightGBM's, to the bit."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.data.leaf_masks import leaf_masks

INPUTS = 5
EDGES = (0.0, -0.0, 1e-36, -1e-36, float(np.float32(1e-35)), -float(np.float32(1e-35)))
NUMBERS = (*EDGES, np.nan, np.inf, -np.inf, 0.5, -0.5, 2.0)


def trained(
    seed: int,
    *,
    gaps: bool,
    leaves: int,
    rounds: int = 20,
    categories: tuple[int, ...] = (),
    **parameters: Any,
) -> lightgbm.Booster:
    chance = np.random.default_rng(seed)
    matrix = chance.normal(size=(400, INPUTS)).round(1)
    matrix[:, 1] = chance.choice((*EDGES, 1.0, -1.0), size=400)
    target = np.nan_to_num(matrix).sum(axis=1) + chance.normal(size=400)
    if categories:
        matrix[:, categories] = chance.integers(0, 9, size=(400, len(categories)))
    if gaps:
        matrix[chance.random(matrix.shape) < 0.2] = np.nan
    told = {
        "objective": "regression",
        "num_leaves": leaves,
        "min_data_in_leaf": 3,
        "verbosity": -1,
        **parameters,
    }
    return lightgbm.train(
        told, lightgbm.Dataset(matrix, target, categorical_feature=list(categories)), rounds
    )


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    gaps=st.booleans(),
    leaves=st.sampled_from([2, 7, 32, 33, 64]),
    rows=st.sampled_from([1, 2, 3, 47, 48, 513, 700]),
)
def test_every_bit_of_the_answers_is_that_of_lightgbm(
    seed: int, gaps: bool, leaves: int, rows: int
) -> None:
    booster = trained(seed, gaps=gaps, leaves=leaves)
    masks = leaf_masks(booster.model_to_string())
    assert masks is not None
    chance = np.random.default_rng(seed)
    matrix = chance.normal(size=(rows, INPUTS)).round(1)
    odd = chance.random(matrix.shape) < 0.3
    matrix[odd] = chance.choice(NUMBERS, size=int(odd.sum()))
    expected = np.asarray(booster.predict(matrix))
    assert masks.batch(matrix)[:, 0].tobytes() == expected.tobytes()


def test_trees_that_never_split_are_read_too() -> None:
    booster = trained(1, gaps=False, leaves=7, min_data_in_leaf=10_000)
    masks = leaf_masks(booster.model_to_string())
    assert masks is not None
    matrix = np.zeros((3, INPUTS))
    assert masks.batch(matrix)[:, 0].tolist() == np.asarray(booster.predict(matrix)).tolist()


@pytest.mark.parametrize(
    "parameters",
    [
        {"leaves": 65},
        {"leaves": 7, "categories": (3,)},
        {"leaves": 7, "linear_tree": True},
        {"leaves": 7, "zero_as_missing": True},
        {"leaves": 7, "reg_sqrt": True},
        {"leaves": 7, "boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5},
        {"leaves": 64, "rounds": 200},
    ],
)
def test_what_is_too_large_or_of_another_kind_is_left_to_lightgbm(
    parameters: dict[str, Any],
) -> None:
    assert leaf_masks(trained(3, gaps=False, **parameters).model_to_string()) is None
