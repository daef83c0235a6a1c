"""Decision forests, grown by scikit-learn on questions of our own and kept as plain arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

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

WORTH_SENDING = 20_000_000
"""Cells times trees; a smaller forest is grown here before its rows have come to another worker."""

SHARES = 2
"""The trees of a forest are dealt in so many shares for each worker, as some workers are late."""


@dataclass(frozen=True)
class Questions:
    """What the nodes of a forest may ask for: a number, or the rank of a level in an order.

    inputs: which input each asks for, numbers before categories.  ranks: per test the rank of each
    level, None for a number.
    """

    inputs: tuple[int, ...]
    ranks: tuple[Floats | None, ...]


@dataclass(frozen=True)
class Answers:
    """What the rows of a training table answer to the questions of a forest.

    repeats: how often each number stands in the matrix, so that a node draws several thresholds of it.
    shared: a file with the matrix, for workers that can see it.  Travels to another worker without the
    matrix, which is mapped there from the file, or made where there is none.
    """

    questions: Questions
    repeats: int
    data: Encoded
    shared: Path | None = None

    @property
    def width(self) -> int:
        """Columns of the matrix."""
        ranked = sum(r is not None for r in self.questions.ranks)
        return len(self.data.encoding.numbers) * self.repeats + ranked

    @property
    def size(self) -> int:
        """Cells of the matrix."""
        return self.data.rows * self.width

    @cached_property
    def matrix(self) -> np.ndarray:
        """(rows, width) in 32 bits: each number `repeats` times, then the ranks of categories."""
        # Row by row, as the few rows of most nodes then lie in the cache with all their answers.
        shape = self.data.rows, self.width
        if self.shared is not None and self.shared.exists():
            return np.memmap(self.shared, np.float32, mode="r", shape=shape)
        matrix = np.empty(shape, np.float32)
        for start in range(0, self.data.rows, BLOCK):
            self._write(matrix[start : start + BLOCK], start)
        return matrix

    def _write(self, block: np.ndarray, start: int) -> None:
        """Fill a block of the matrix, whose first row has this number."""
        data, stop = self.data, start + len(block)
        numbers = len(data.encoding.numbers)
        asked = zip(self.questions.inputs, self.questions.ranks, strict=True)
        ranked = [(i, r) for i, r in asked if r is not None]
        block[:, :numbers] = data.block(start, stop)
        for again in range(1, self.repeats):
            block[:, again * numbers : (again + 1) * numbers] = block[:, :numbers]
        for at, (source, ranks) in enumerate(ranked, numbers * self.repeats):
            # No level is the entry after the last one.
            known = np.append(ranks, np.nan)
            block[:, at] = known[data.codes[source - numbers][start:stop]]

    @contextmanager
    def in_file(self, folder: Path) -> Iterator[Answers]:
        """The same with the matrix in a file, which all workers of this machine map together.

        Without room for the file each worker makes its own.
        """
        path = folder / f"answers-{uuid4().hex}"
        block = np.empty((min(BLOCK, self.data.rows), self.width), np.float32)
        try:
            try:
                # Written and not mapped, since a mapping that finds no room ends the process.
                with path.open("wb") as file:
                    for start in range(0, self.data.rows, BLOCK):
                        part = block[: self.data.rows - start]
                        self._write(part, start)
                        file.write(part.data)
            except OSError:
                path.unlink(missing_ok=True)
                yield self
            else:
                yield replace(self, shared=path)
        finally:
            # Where a file that is mapped cannot be removed it goes with the folder.
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def __reduce__(self) -> tuple[Any, ...]:
        return Answers, (self.questions, self.repeats, self.data, self.shared)


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
            raise InfiniteValues(number.name, port, None, beyond=LARGEST)


@dataclass(frozen=True)
class Leaves:
    """The leaves of a tree, and the rows of training that fall into them.

    forest: the estimator that the tree is of.  matrix: what the rows answer to its questions.
    """

    forest: Any
    grown: Any
    matrix: np.ndarray

    @property
    def tree(self) -> Any:
        """The arrays of its nodes."""
        return self.grown.tree_

    @cached_property
    def nodes(self) -> np.ndarray:
        """(leaves,) their places among the nodes."""
        return np.flatnonzero(self.tree.children_left < 0)

    @property
    def bagged(self) -> bool:
        """Whether the tree was grown on rows drawn from those of training."""
        return bool(self.forest.bootstrap)

    def held_out(self) -> np.ndarray:
        """The numbers of the rows that a bagged tree was not grown on."""
        alone = copy(self.forest)
        # So that nothing is drawn again for the other trees.
        alone.estimators_ = [self.grown]
        drawn = alone.estimators_samples_[0]
        return np.flatnonzero(np.bincount(drawn, minlength=len(self.matrix)) == 0)

    def of_rows(self, rows: np.ndarray | None = None) -> np.ndarray:
        """The number of the leaf that each row falls into, or each of these rows."""
        number = np.zeros(self.tree.node_count, dtype=np.int64)
        number[self.nodes] = np.arange(len(self.nodes))
        fallen = np.empty(len(self.matrix) if rows is None else len(rows), dtype=np.int64)
        for start in range(0, len(fallen), BLOCK):
            some = slice(start, start + BLOCK)
            here = self.matrix[some if rows is None else rows[some]]
            fallen[some] = number[self.tree.apply(here)]
        return fallen


Figures = Callable[[Leaves, Floats], Floats]
"""Of the leaves of a tree and the target of the rows of training, what the leaves answer: (leaves, width)."""


def grown(
    forest: Any, answers: Answers, target: Floats, figures: Figures, context: Context
) -> tuple[Any, list[Floats]]:
    """A forest of scikit-learn with its trees and what their leaves answer.

    Trees of a large forest are dealt to the workers of the target, and are the same to the bit
    wherever they are grown.
    """
    trees = forest.n_estimators
    if context.width == 1 or trees == 1 or answers.size * trees < WORTH_SENDING:
        threads = 1 if answers.size <= ONE_THREAD else context.threads or -1
        forest.set_params(n_jobs=threads).fit(answers.matrix, target)
        return forest, _told(forest, answers, target, figures)
    ends = np.linspace(0, trees, min(trees, SHARES * context.width) + 1).astype(int).tolist()
    shares = list(pairwise(ends))
    context.log(
        f"{trees} trees are grown in {len(shares)} shares by up to {context.width} workers."
    )
    done = 0

    def heard(number: int, share: Any) -> None:
        nonlocal done
        done += 1
        context.progress(done / len(shares))

    with answers.in_file(context.scratch) as shared:
        work = partial(_share, forest, shared, target, figures, context.within_item().threads)
        parts = context.map(work, shares, heard=heard)
    first = parts[0][0]
    first.estimators_ = [tree for part, _ in parts for tree in part.estimators_]
    return first, [leaves for _, told in parts for leaves in told]


def _told(forest: Any, answers: Answers, target: Floats, figures: Figures) -> list[Floats]:
    """What the leaves of each tree answer."""
    from joblib import Parallel, delayed

    told: list[Floats] = Parallel(n_jobs=forest.n_jobs, prefer="threads")(
        delayed(figures)(Leaves(forest, tree, answers.matrix), target)
        for tree in forest.estimators_
    )
    return told


def _share(
    forest: Any,
    answers: Answers,
    target: Floats,
    figures: Figures,
    threads: int | None,
    share: tuple[int, int],
) -> tuple[Any, list[Floats]]:
    """A forest with the trees from the first to the second number only, and what their leaves answer."""
    from sklearn.base import clone

    start, end = share
    part = clone(forest).set_params(warm_start=True, n_estimators=end, n_jobs=threads or -1)
    # The chance of a tree comes from how many there are before it, so as many are pretended.
    part.estimators_ = [None] * start
    part.fit(answers.matrix, target)
    part.estimators_ = part.estimators_[start:]
    return part, _told(part, answers, target, figures)


def pack(
    forest: Any,
    questions: Questions,
    encoding: Encoding,
    repeats: int,
    figures: Sequence[Floats],
    *,
    notes: dict[str, Any],
    grid: Floats | None = None,
) -> Native:
    """A grown forest as a native value.

    figures: what the leaves of each tree answer.
    """
    numbers = len(encoding.numbers)
    # Repeated columns of a number are one test.
    test_of = np.concatenate(
        [np.tile(np.arange(numbers), repeats), np.arange(numbers, len(questions.inputs))]
    ).astype(np.int32)
    roots, held = [], []
    nodes = rows = 0
    for grown in forest.estimators_:
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
        "figures": np.concatenate(figures),
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
