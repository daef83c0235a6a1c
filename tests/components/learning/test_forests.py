"""What the leaves of a tree answer, counted row by row."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from modelwright.components.learning.decision_forests import GROWN_ON, _counts, _moments
from modelwright.components.learning.forests import Leaves

ROWS, CLASSES = 120, 3


def noisy() -> tuple[np.ndarray, np.ndarray]:
    """A matrix, and classes of which it tells some."""
    chance = np.random.default_rng(5)
    matrix = chance.normal(size=(ROWS, 4)).astype(np.float32)
    target = np.digitize(matrix[:, 0] + chance.normal(size=ROWS), [-0.5, 0.7])
    return matrix, target.astype(np.float64)


def classifier(*, bagged: bool) -> Any:
    from sklearn.ensemble import ExtraTreesClassifier

    return ExtraTreesClassifier(4, max_depth=4, bootstrap=bagged, random_state=1).fit(*noisy())


def test_a_leaf_of_a_bagged_tree_counts_the_rows_that_the_tree_was_not_grown_on() -> None:
    matrix, target = noisy()
    forest = classifier(bagged=True)
    for tree, drawn in zip(forest.estimators_, forest.estimators_samples_, strict=True):
        leaf_of, times = tree.apply(matrix), Counter(drawn.tolist())
        found = _counts(Leaves(forest, tree, matrix), target, classes=CLASSES)
        for leaf, counts in zip(sorted(set(leaf_of)), found, strict=True):
            here = [row for row in range(ROWS) if leaf_of[row] == leaf]
            for number, count in enumerate(counts):
                fresh = sum(target[row] == number for row in here if row not in times)
                known = sum(times[row] for row in here if target[row] == number)
                share = known / sum(times[row] for row in here)
                assert count == pytest.approx(fresh + GROWN_ON * share)
    assert any(len(set(drawn)) < ROWS for drawn in forest.estimators_samples_)


def test_a_leaf_of_a_tree_that_saw_all_rows_counts_them_all() -> None:
    matrix, target = noisy()
    forest = classifier(bagged=False)
    tree = forest.estimators_[0]
    found = _counts(Leaves(forest, tree, matrix), target, classes=CLASSES)
    leaf_of = tree.apply(matrix)
    for leaf, counts in zip(sorted(set(leaf_of)), found, strict=True):
        expected = np.bincount(target[leaf_of == leaf].astype(int), minlength=CLASSES)
        assert counts == pytest.approx(expected)


@pytest.mark.parametrize("bagged", [True, False])
def test_mean_and_spread_of_a_leaf_are_those_of_all_rows_in_it(*, bagged: bool) -> None:
    from sklearn.ensemble import ExtraTreesRegressor

    matrix, target = noisy()
    # Far from zero, where a difference of squares would lose the spread.
    target = target + 1e6
    forest: Any = ExtraTreesRegressor(2, max_depth=3, bootstrap=bagged, random_state=1)
    tree = forest.fit(matrix, target).estimators_[1]
    found = _moments(Leaves(forest, tree, matrix), target)
    leaf_of = tree.apply(matrix)
    for leaf, (mean, square) in zip(sorted(set(leaf_of)), found, strict=True):
        rows = target[leaf_of == leaf]
        assert mean == pytest.approx(rows.mean(), rel=1e-12)
        assert square - mean**2 == pytest.approx(rows.var(), abs=1e-3)
