from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.cluster import KMeans

from modelwright.components.learning.centroids import (
    first_rows,
    nearest_rows,
    plus_plus,
    random_partition,
    refine,
    squared_distances,
)
from modelwright.components.learning.design import Design
from modelwright.components.learning.encoding import learn_encoding
from modelwright.data.table import Table


def design(rows: int = 200, groups: int = 3) -> Design:
    chance = np.random.default_rng(rows)
    group = chance.integers(0, groups, rows)
    frame = pl.DataFrame(
        {
            "a": chance.normal(6 * group, 1),
            "b": chance.normal(group % 2 * 5, 1),
            "kind": [("p", "q", "r")[g % 3] for g in group],
        }
    )
    table = Table(frame)
    return Design(learn_encoding(table.frame, table.schema).encode(table.frame))


def silent(share: float) -> None:
    """Nobody looks at the progress."""


def test_distances_are_those_between_the_built_rows() -> None:
    rows = design(50)
    centroids = rows.dense(0, 4)
    matrix = rows.dense()
    expected = ((matrix[:, None, :] - centroids[None]) ** 2).sum(axis=2)
    np.testing.assert_allclose(squared_distances(rows, centroids), expected, atol=1e-9)


def test_refining_ends_where_that_of_scikit_learn_ends() -> None:
    rows = design()
    start = first_rows(rows, 3, np.random.default_rng(0))
    found = refine(rows, start, passes=100, progress=silent)
    other = KMeans(len(start), init=start, n_init=1, tol=0, max_iter=100).fit(rows.dense())
    np.testing.assert_allclose(found.centroids, other.cluster_centers_, atol=1e-9)
    assert found.settled


def test_passes_are_limited() -> None:
    rows = design(500, groups=7)
    start = random_partition(rows, 7, np.random.default_rng(0))
    few = refine(rows, start, passes=2, progress=silent)
    assert (few.passes, few.settled) == (2, False)
    assert refine(rows, start, passes=200, progress=silent).passes > 2


def test_the_first_rows_that_differ_are_a_start() -> None:
    table = Table(pl.DataFrame({"a": [1.0, 1.0, 5.0, 9.0]}))
    rows = Design(learn_encoding(table.frame, table.schema).encode(table.frame))
    assert first_rows(rows, 3, np.random.default_rng(0)).tolist() == [[1.0], [5.0]]


def test_random_groups_start_near_the_middle() -> None:
    rows = design()
    middle = rows.dense().mean(axis=0)
    start = random_partition(rows, 3, np.random.default_rng(0))
    assert np.abs(start - middle).max() < 2


def test_rows_drawn_far_apart_hit_every_group() -> None:
    rows = design()
    for seed in range(5):
        start = plus_plus(rows, 3, np.random.default_rng(seed))
        found = refine(rows, start, passes=50, progress=silent)
        assert sorted(np.round(found.centroids[:, 0] / 6)) == [0, 1, 2]


def test_rows_that_are_all_alike_make_one_cluster() -> None:
    table = Table(pl.DataFrame({"a": [2.0, 2.0, 2.0]}))
    rows = Design(learn_encoding(table.frame, table.schema).encode(table.frame))
    start = plus_plus(rows, 3, np.random.default_rng(0))
    assert refine(rows, start, passes=10, progress=silent).centroids.tolist() == [[2.0]]


def test_the_row_nearest_to_each_centre_is_known() -> None:
    rows = design()
    found = refine(rows, rows.dense(0, 2), passes=50, progress=silent)
    distance = squared_distances(rows, found.centroids)
    assert distance[nearest_rows(rows, found.centroids), [0, 1]] == pytest.approx(
        distance.min(axis=0)
    )
