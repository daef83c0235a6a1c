"""Small ensembles of regression trees over many rows at a time, in NumPy and without a branch.

Each test that a row fails takes the leaves below its low side out of reach; the row ends in the first leaf
that is left.  The tests of a column, in the order of their thresholds, fail from the first to some place, so
what they leave is one line of a table, found by bisection (the idea of QuickScorer, Lucchese et al. 2015).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

_MOST_ENTRIES = 1_000_000
"""Of all tables together; more would not stay in the processor's caches, nor be as fast."""

_BLOCK = 512
_FEW = 48
"""Rows below which one search for all columns is faster than one for each."""

_ZERO = float(np.float32(1e-35))
_DEFAULT_LOW, _GAP_KINDS, _GAP_IS_ZERO, _GAP_HAS_SIDE = 2, 12, 0, 8
_SUMS = frozenset(
    f"objective={name}"
    for name in ("regression", "regression_l1", "huber", "fair", "quantile", "mape")
)


class _Test(NamedTuple):
    """A test of a column: `clears` are the bits of the leaves that a row which fails it cannot reach."""

    threshold: float
    tree: int
    clears: int
    fails_gap: bool


class _Bits(NamedTuple):
    """How leaves are written as bits: the types of a mask and of a number whose exponent is its place."""

    mask: Any
    real: Any
    whole: Any
    mantissa: int
    bias: int


_NARROW = _Bits(np.uint32, np.float32, np.int32, 23, 127)
_WIDE = _Bits(np.uint64, np.float64, np.int64, 52, 1023)


class _Few(NamedTuple):
    """All columns as one.  keys: their places and thresholds as one sorted line of complex numbers.

    lines: the tables of all columns, one below the other.  extra: how much further down the line of a
    column is than its place among the keys.  gaps: the lines of the columns for gaps.
    """

    columns: np.ndarray
    keys: np.ndarray
    lines: np.ndarray
    extra: np.ndarray
    gaps: np.ndarray

    def left(self, matrix: np.ndarray) -> np.ndarray:
        """(rows, inputs) of float64 → (rows, trees) of the leaves in reach."""
        asked = np.empty((len(matrix), len(self.columns)), dtype=np.complex128)
        asked.real = np.arange(len(self.columns))
        asked.imag = numbers = matrix[:, self.columns]
        place = self.keys.searchsorted(asked)
        place += self.extra
        gaps = np.isnan(numbers)
        if gaps.any():
            np.copyto(place, self.gaps, where=gaps)
        found: np.ndarray = np.bitwise_and.reduce(
            self.lines.take(place, axis=0, mode="clip"), axis=1
        )
        return found


class LeafMasks:
    """An ensemble whose answer is the sum of its trees, added in their order."""

    def __init__(
        self, tests: Mapping[int, list[_Test]], figures: list[list[float]], bits: _Bits
    ) -> None:
        """figures: of the leaves of each tree, from the lowest to the highest."""
        self._bits = bits
        self._trees = len(figures)
        width = max(map(len, figures))
        self._figures = np.zeros((self._trees, width))
        for tree, row in enumerate(figures):
            self._figures[tree, : len(row)] = row
        self._start = np.arange(self._trees, dtype=bits.whole) * width - bits.bias
        self._columns: list[tuple[int, np.ndarray, np.ndarray]] = []
        self._few = self._together(
            [(column, *_table(sorted(found), self._trees, bits)) for column, found in tests.items()]
        )

    def _together(self, columns: list[tuple[int, np.ndarray, np.ndarray]]) -> _Few | None:
        """What finds the lines of all columns at once; the tables of the columns become parts of its own."""
        if not columns:
            return None
        lines = np.concatenate([table for _, _, table in columns])
        counts = np.array([len(thresholds) for _, thresholds, _ in columns])
        keys = np.empty(counts.sum(), dtype=np.complex128)
        keys.real = np.repeat(np.arange(len(columns)), counts)
        keys.imag = np.concatenate([thresholds for _, thresholds, _ in columns])
        # Each table has two lines more than its column has thresholds.
        extra = 2 * np.arange(len(columns))
        gaps = np.cumsum(counts + 2) - 1
        start = 0
        for column, thresholds, table in columns:
            self._columns.append((column, thresholds, lines[start : start + len(table)]))
            start += len(table)
        return _Few(np.array([c for c, _, _ in columns]), keys, lines, extra, gaps)

    def batch(self, matrix: np.ndarray) -> np.ndarray:
        """(rows, inputs) of float64, NaN where missing → (rows, 1)."""
        answers = np.empty((len(matrix), 1))
        for at in range(0, len(matrix), _BLOCK):
            answers[at : at + _BLOCK, 0] = self._block(matrix[at : at + _BLOCK])
        return answers

    def _block(self, matrix: np.ndarray) -> np.ndarray:
        if self._few is not None and len(matrix) < _FEW:
            return self._summed(self._few.left(matrix))
        columns = np.ascontiguousarray(matrix.T)
        gaps = np.isnan(columns)
        whole_rows = not gaps.any()
        left = np.empty((len(matrix), self._trees), self._bits.mask)
        line = left
        for column, thresholds, table in self._columns:
            place = thresholds.searchsorted(columns[column])
            if not whole_rows:
                place[gaps[column]] = len(thresholds) + 1
            # No place is out of bounds; not to look is faster, and so are arguments without their names.
            table.take(place, 0, line, "clip")
            if line is left:
                line = np.empty_like(left)
            else:
                np.bitwise_and(left, line, left)
        if line is left:
            left.fill(~self._bits.mask(0))
        return self._summed(left)

    def _summed(self, left: np.ndarray) -> np.ndarray:
        """The sums of the figures of the lowest leaves that are left, a row each."""
        _, real, whole, mantissa, _ = self._bits
        left &= np.negative(left)
        leaf = left.astype(real).view(whole)
        leaf >>= mantissa
        leaf += self._start
        by_tree = self._figures.take(leaf.T, mode="clip")
        # NumPy adds lines one after the other, as the trees are to be, but not the numbers of a column.
        total: np.ndarray = by_tree.sum(axis=0) if len(left) > 1 else by_tree.cumsum(axis=0)[-1]
        return total


def _table(tests: list[_Test], trees: int, bits: _Bits) -> tuple[np.ndarray, np.ndarray]:
    """Thresholds, and the leaves left after each number of failed tests; the last line is for gaps."""
    table = np.full((len(tests) + 2, trees), ~bits.mask(0))
    for place, test in enumerate(tests):
        left = ~bits.mask(test.clears)
        table[place + 1, test.tree] = left
        if test.fails_gap:
            table[-1, test.tree] &= left
    np.bitwise_and.accumulate(table[:-1], axis=0, out=table[:-1])
    return np.array([t.threshold for t in tests]), table


def leaf_masks(text: str) -> LeafMasks | None:
    """The same ensemble as LightGBM's model text says; None for one that is too large or of another kind.

    Of other kinds are those with several outputs, categories, linear leaves, or an objective that makes
    something else of the sum.
    """
    head, *parts = text.partition("end of trees")[0].split("\nTree=")
    lines = head.split("\n")
    if (
        _SUMS.isdisjoint(lines)
        or "num_tree_per_iteration=1" not in lines
        or "average_output" in lines
        or not parts
    ):
        return None
    trees = [dict(line.partition("=")[::2] for line in part.split("\n")) for part in parts]
    leaves = [int(tree["num_leaves"]) for tree in trees]
    bits = _NARROW if max(leaves) <= 32 else _WIDE
    if max(leaves) > 64 or sum(leaves) * len(trees) > _MOST_ENTRIES:
        return None
    tests: dict[int, list[_Test]] = {}
    figures = []
    for number, tree in enumerate(trees):
        found = _read(number, tree, tests)
        if found is None:
            return None
        figures.append(found)
    return LeafMasks(tests, figures, bits)


def _read(
    number: int, tree: Mapping[str, str], tests: dict[int, list[_Test]]
) -> list[float] | None:
    """The figures of the leaves from low to high, with the tests added to those of their columns."""
    if tree["num_cat"] != "0" or tree.get("is_linear", "0") != "0":
        return None
    values = [float(v) for v in tree["leaf_value"].split()]
    if len(values) == 1:
        return values
    low, high, columns, kinds = (
        [int(v) for v in tree[key].split()]
        for key in ("left_child", "right_child", "split_feature", "decision_type")
    )
    if any(kind & _GAP_KINDS not in (_GAP_IS_ZERO, _GAP_HAS_SIDE) for kind in kinds):
        return None
    thresholds = [_beside_zero(float(v)) for v in tree["threshold"].split()]
    figures: list[float] = []

    def below(node: int) -> None:
        if node < 0:
            figures.append(values[~node])
            return
        first = len(figures)
        below(low[node])
        clears = (1 << len(figures)) - (1 << first)
        threshold, kind = thresholds[node], kinds[node]
        fails_gap = not kind & _DEFAULT_LOW if kind & _GAP_KINDS else threshold < 0.0
        tests.setdefault(columns[node], []).append(_Test(threshold, number, clears, fails_gap))
        below(high[node])

    below(0)
    return figures


def _beside_zero(threshold: float) -> float:
    """A threshold that tells numbers apart as LightGBM does, which takes the smallest ones for zero."""
    if not -_ZERO <= threshold < _ZERO:
        return threshold
    return float(np.nextafter(-_ZERO, -np.inf)) if threshold < 0.0 else _ZERO
