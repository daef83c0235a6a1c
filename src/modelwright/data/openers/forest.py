"""Forests of decision trees as plain arrays, evaluated without any learning library.

Each node asks one test: is this number, or the rank of this level, at most a threshold?  Every leaf
holds a row of figures; those of the leaves that a row falls into are added up over the trees, and
the sums are finished in one of a few ways.

Arrays of the content: `test_input` (tests,) which input a test asks for; `test_ranks` the ranks of
levels of all tests, one after the other, `test_start` (tests + 1,) where those of a test begin (a
test of a number has none); `root` (trees,); and for each node `test` (-1 in a leaf), `threshold`,
`low`, `high` (children for at most and above; in a leaf `low` is its row of figures),
`gap_low` (whether a missing value goes low); `figures` (leaves, width); `grid` for quantiles.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

_BLOCK = 4_096


class Forest:
    """An opened forest.

    notes: "finish" says what becomes of the sums.  "shares": each as a share of their total.
    "moments": mean and standard deviation from first and second moments.  "quantiles": the numbers
    "quantiles" of the distribution whose cumulative shares at the points of `grid` were summed, with
    "line" between two points, else the first point that reaches it.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray], notes: Mapping[str, Any]) -> None:
        self._input = arrays["test_input"]
        starts = arrays["test_start"]
        ranks = arrays["test_ranks"]
        self._ranks = [ranks[a:b] if b > a else None for a, b in pairwise(starts.tolist())]
        self._roots = arrays["root"]
        self._test = arrays["test"]
        self._threshold = arrays["threshold"]
        self._low = arrays["low"]
        self._high = arrays["high"]
        self._gap_low = arrays["gap_low"]
        self._figures = arrays["figures"]
        self._grid = arrays["grid"]
        self._finish = notes["finish"]
        self._quantiles = tuple(notes.get("quantiles", ()))
        self._line = bool(notes.get("line"))
        # Reading single entries through these costs a third of reading them from an array.
        nodes = (self._test, self._threshold, self._low, self._high, self._gap_low)
        self._views = tuple(a.data for a in nodes)
        self._tests = [
            (int(i), None if r is None else r.tolist())
            for i, r in zip(self._input, self._ranks, strict=True)
        ]

    def batch(self, matrix: np.ndarray) -> np.ndarray:
        """(rows, inputs) of float64, NaN where missing → (rows, outputs)."""
        parts = [
            self._finished(self._summed(matrix[start : start + _BLOCK]))
            for start in range(0, max(len(matrix), 1), _BLOCK)
        ]
        return np.concatenate(parts)

    def row(self, values: list[float]) -> list[float]:
        """One row of `batch`."""
        with np.errstate(over="ignore"):
            shown = np.array(values, dtype=np.float32).tolist()
        tests = self._tests
        test, threshold, low, high, gap_low = self._views
        total = np.zeros(self._figures.shape[1])
        for root in self._roots.tolist():
            node = root
            while (at := test[node]) >= 0:
                source, ranks = tests[at]
                value = shown[source]
                if value != value:
                    node = low[node] if gap_low[node] else high[node]
                    continue
                if ranks is not None:
                    value = ranks[int(value)]
                node = low[node] if value <= threshold[node] else high[node]
            total += self._figures[low[node]]
        found: list[float] = self._finished(total[None, :])[0].tolist()
        return found

    def _summed(self, matrix: np.ndarray) -> np.ndarray:
        # As in training, numbers are compared as they are in 32 bits.
        with np.errstate(over="ignore"):
            shown = matrix.astype(np.float32)
        rows = len(shown)
        asked = np.empty((rows, len(self._tests)), dtype=np.float32)
        for at, (source, ranks) in enumerate(zip(self._input, self._ranks, strict=True)):
            values = shown[:, source]
            asked[:, at] = values if ranks is None else _ranked(values, ranks)
        gaps = bool(np.isnan(asked).any())
        total = np.zeros((rows, self._figures.shape[1]))
        for root in self._roots:
            node = np.full(rows, root, dtype=np.int64)
            moving = np.arange(rows)
            while len(moving):
                here = node[moving]
                question = self._test[here]
                inside = question >= 0
                if not inside.all():
                    moving, here, question = moving[inside], here[inside], question[inside]
                value = asked[moving, question]
                goes_low = value <= self._threshold[here]
                if gaps:
                    goes_low |= np.isnan(value) & self._gap_low[here]
                node[moving] = np.where(goes_low, self._low[here], self._high[here])
            total += self._figures[self._low[node]]
        return total

    def _finished(self, total: np.ndarray) -> np.ndarray:
        if self._finish == "shares":
            shares: np.ndarray = total / total.sum(axis=1, keepdims=True)
            return shares
        trees = len(self._roots)
        if self._finish == "moments":
            mean = total[:, 0] / trees
            spread = np.sqrt(np.maximum(total[:, 1] / trees - mean * mean, 0.0))
            return np.column_stack([mean, spread])
        found = [_quantile(total / trees, self._grid, q, line=self._line) for q in self._quantiles]
        return np.column_stack(found)


def open_native(content: bytes, notes: Mapping[str, Any]) -> Forest:
    """The forest of saved arrays.  notes: as `Forest` has them."""
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        held = {name: arrays[name] for name in arrays.files}
    return Forest(held, notes)


def packed(arrays: Mapping[str, np.ndarray]) -> bytes:
    """The arrays of a forest as the content of a native; equal arrays give equal bytes."""
    held = io.BytesIO()
    named: dict[str, Any] = {name: arrays[name] for name in sorted(arrays)}
    np.savez(held, **named)
    return held.getvalue()


def _ranked(values: np.ndarray, ranks: np.ndarray) -> np.ndarray:
    known = ~np.isnan(values)
    found = np.full(len(values), np.nan, dtype=np.float32)
    found[known] = ranks[values[known].astype(np.int64)]
    return found


def _quantile(shares: np.ndarray, grid: np.ndarray, quantile: float, *, line: bool) -> np.ndarray:
    """For each row the point at which its cumulative share reaches the quantile."""
    # A little less than asked for, because shares are sums of rounded parts.
    reached = shares >= quantile - 1e-9
    at = np.where(reached.any(axis=1), reached.argmax(axis=1), len(grid) - 1)
    if not line:
        return grid[at]
    before, row = np.maximum(at - 1, 0), np.arange(len(shares))
    low, high = shares[row, before], shares[row, at]
    rise = np.where(high > low, high - low, 1.0)
    step = np.where(high > low, np.clip((quantile - low) / rise, 0.0, 1.0), 1.0)
    found: np.ndarray = grid[before] + step * (grid[at] - grid[before])
    return found
