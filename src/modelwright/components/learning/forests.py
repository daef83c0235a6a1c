"""Decision forests, grown by scikit-learn on questions of our own and kept as plain arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelwright.components.context import Context
from modelwright.components.learning.boosting import ONE_THREAD
from modelwright.components.learning.design import BLOCK
from modelwright.components.learning.encoding import Encoded, Encoding, Floats
from modelwright.components.learning.errors import InfiniteValues
from modelwright.data.native import Native
from modelwright.data.openers.forest import packed

NATIVE = "forest"
FEWEST_ORDERS = 4
"""A category is asked about in so many random orders of its levels, at least."""

LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Questions:
    """What the nodes of a forest may ask for: a number, or the rank of a level in an order.

    inputs: which input each asks for, numbers before categories.  ranks: per test the rank of each
    level, None for a number.
    """

    inputs: tuple[int, ...]
    ranks: tuple[Floats | None, ...]

    def matrix(self, data: Encoded, repeats: int) -> np.ndarray:
        """(rows, columns) in 32 bits: each number `repeats` times, then the ranks of categories.

        Repeated columns let a node draw several thresholds of the same number.
        """
        numbers = len(data.encoding.numbers)
        ranked = [(i, r) for i, r in zip(self.inputs, self.ranks, strict=True) if r is not None]
        width = numbers * repeats + len(ranked)
        matrix = np.empty((data.rows, width), dtype=np.float32, order="F")
        for start in range(0, data.rows, BLOCK):
            matrix[start : start + BLOCK, :numbers] = data.block(start, start + BLOCK)
        for copy in range(1, repeats):
            matrix[:, copy * numbers : (copy + 1) * numbers] = matrix[:, :numbers]
        for at, (source, ranks) in enumerate(ranked, numbers * repeats):
            # No level is the entry after the last one.
            known = np.append(ranks, np.nan)
            matrix[:, at] = known[data.codes[source - numbers]]
        return matrix


def random_questions(
    encoding: Encoding, splits: int, chance: np.random.Generator
) -> tuple[Questions, int]:
    """Questions for nodes that draw so many candidates, and how often each number is repeated."""
    features = len(encoding.features)
    repeats = -(-splits // features)
    numbers = len(encoding.numbers)
    inputs = list(range(numbers))
    ranks: list[Floats | None] = [None] * numbers
    for at, category in enumerate(encoding.categories, numbers):
        for _ in range(max(repeats, FEWEST_ORDERS)):
            inputs.append(at)
            ranks.append(chance.permutation(len(category.levels)).astype(np.float64))
    return Questions(tuple(inputs), tuple(ranks)), repeats


def ordered_questions(data: Encoded, target: Floats) -> Questions:
    """Questions that rank the levels of a category by the mean target of their rows."""
    encoding = data.encoding
    numbers = len(encoding.numbers)
    ranks: list[Floats | None] = [None] * numbers
    for codes, category in zip(data.codes, encoding.categories, strict=True):
        size = len(category.levels)
        count = np.bincount(codes, minlength=size)[:size]
        mean = np.bincount(codes, target, minlength=size)[:size] / np.maximum(count, 1)
        rank = np.empty(size)
        rank[np.argsort(mean, kind="stable")] = np.arange(size)
        ranks.append(rank)
    return Questions(tuple(range(numbers + len(encoding.categories))), tuple(ranks))


def check_range(encoding: Encoding, *, port: str = "dataset") -> None:
    """Raise InfiniteValues for a number that is none in 32 bits, which is how trees see it."""
    for number in encoding.numbers:
        if max(abs(number.minimum), abs(number.maximum)) > LARGEST:
            raise InfiniteValues(number.name, port, 1)


def threads(matrix: np.ndarray, context: Context) -> int:
    """How many threads are worth it."""
    return 1 if matrix.size <= ONE_THREAD else context.threads or -1


def pack(
    forest: Any,
    questions: Questions,
    encoding: Encoding,
    repeats: int,
    figures: Callable[[int, Any, np.ndarray], Floats],
    *,
    notes: dict[str, Any],
    grid: Floats | None = None,
) -> Native:
    """A grown forest as a native value.

    figures: of the number of a tree, the tree and the numbers of its leaves, a row for each leaf.
    """
    numbers = len(encoding.numbers)
    # Repeated columns of a number are one test.
    test_of = np.concatenate(
        [np.tile(np.arange(numbers), repeats), np.arange(numbers, len(questions.inputs))]
    ).astype(np.int32)
    roots, held, leaves = [], [], []
    nodes = rows = 0
    for number, grown in enumerate(forest.estimators_):
        tree = grown.tree_
        is_leaf = tree.children_left < 0
        leaf = np.flatnonzero(is_leaf)
        low = tree.children_left.astype(np.int32) + nodes
        high = tree.children_right.astype(np.int32) + nodes
        low[leaf] = np.arange(len(leaf)) + rows
        high[leaf] = 0
        test = np.where(is_leaf, -1, test_of[np.maximum(tree.feature, 0)]).astype(np.int32)
        threshold = np.where(is_leaf, 0.0, tree.threshold)
        gaps = tree.missing_go_to_left.astype(bool) & ~is_leaf
        roots.append(nodes)
        held.append((test, threshold, low, high, gaps))
        leaves.append(figures(number, tree, leaf))
        nodes += tree.node_count
        rows += len(leaf)
    test, threshold, low, high, gaps = (np.concatenate(p) for p in zip(*held, strict=True))
    empty = np.empty(0)
    orders = [empty if r is None else r for r in questions.ranks]
    arrays: dict[str, np.ndarray] = {
        "test_input": np.array(questions.inputs, dtype=np.int32),
        "test_ranks": np.concatenate([empty, *orders]).astype(np.float32),
        "test_start": np.cumsum([0, *(len(o) for o in orders)]).astype(np.int64),
        "root": np.array(roots, dtype=np.int64),
        "test": test,
        "threshold": threshold,
        "low": low,
        "high": high,
        "gap_low": gaps,
        "figures": np.concatenate(leaves),
        "grid": empty if grid is None else grid,
    }
    return Native("forest", packed(arrays), notes)


def importance(
    forest: Any, questions: Questions, encoding: Encoding, repeats: int
) -> list[dict[str, Any]]:
    """The share of each feature in what the splits gained, largest first."""
    numbers = len(encoding.numbers)
    names = [n.name for n in encoding.numbers] + [c.name for c in encoding.categories]
    inputs = [*(list(range(numbers)) * repeats), *questions.inputs[numbers:]]
    gains = dict.fromkeys(names, 0.0)
    for source, gain in zip(inputs, forest.feature_importances_, strict=True):
        gains[names[source]] += float(gain)
    lines = [{"feature": name, "gain": gain} for name, gain in gains.items()]
    return sorted(lines, key=lambda line: (-float(str(line["gain"])), str(line["feature"])))
