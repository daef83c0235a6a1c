"""Feed-forward networks with one hidden layer, evaluated with NumPy alone.

Arrays of the content: `shift`, `scale` (numbers,) of the inputs that are numbers; `hidden` (numbers,
nodes) their weights; `levels` (levels of all categories + 1, nodes) a row of weights per level, the
last one zero; `start` (categories,) where those of a category begin; `size` (categories,) how many it
has; `bias` (nodes,); `output` (nodes, outputs) and `output_bias` (outputs,).
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np

_ROWS = 8
"""Rows are multiplied in groups of so many, so that one row alone is rounded as in a table."""

_GROUPS = 1_024


class Network:
    """An opened network.  A missing number counts as the mean of training, an unknown level as none.

    notes: "finish" is "softmax", or "line" for outputs that are `spread` times the sum plus `middle`.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray], notes: Mapping[str, Any]) -> None:
        self._arrays = dict(arrays)
        self._finish = notes["finish"]
        self._spread, self._middle = notes.get("spread", 1.0), notes.get("middle", 0.0)
        self._numbers = len(arrays["shift"])
        self._none = len(arrays["levels"]) - 1

    def batch(self, matrix: np.ndarray) -> np.ndarray:
        """(rows, inputs) of float64, NaN where missing → (rows, outputs)."""
        many = _ROWS * _GROUPS
        parts = [self._part(matrix[at : at + many]) for at in range(0, max(len(matrix), 1), many)]
        return np.concatenate(parts)

    def row(self, values: list[float]) -> list[float]:
        """One row of `batch`."""
        found: list[float] = self._part(np.array([values]))[0].tolist()
        return found

    def _part(self, matrix: np.ndarray) -> np.ndarray:
        rows = len(matrix)
        held = self._arrays
        groups = -(-rows // _ROWS)
        padded = np.zeros((groups * _ROWS, matrix.shape[1]))
        padded[:rows] = matrix
        numbers = (padded[:, : self._numbers] - held["shift"]) / held["scale"]
        np.copyto(numbers, 0.0, where=np.isnan(numbers))
        with np.errstate(over="ignore", invalid="ignore"):
            sums = _product(numbers, held["hidden"]) + held["bias"]
            for at, (start, size) in enumerate(zip(held["start"], held["size"], strict=True)):
                codes = padded[:, self._numbers + at]
                known = (codes >= 0) & (codes < size)
                sums += held["levels"][np.where(known, codes + start, self._none).astype(np.int64)]
            found = _product(np.tanh(sums), held["output"]) + held["output_bias"]
        if self._finish == "softmax":
            powers = np.exp(found - found.max(axis=1, keepdims=True))
            found = powers / powers.sum(axis=1, keepdims=True)
        else:
            found = self._middle + self._spread * found
        kept: np.ndarray = found[:rows]
        return kept


def open_native(content: bytes, notes: Mapping[str, Any]) -> Network:
    """The network of saved arrays.  notes: as `Network` has them."""
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        held = {name: arrays[name] for name in arrays.files}
    return Network(held, notes)


def packed(arrays: Mapping[str, np.ndarray]) -> bytes:
    """The arrays of a network as the content of a native; equal arrays give equal bytes."""
    held = io.BytesIO()
    named: dict[str, Any] = {name: arrays[name] for name in sorted(arrays)}
    np.savez(held, **named)
    return held.getvalue()


def _product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Left @ right by products of always the same shape: libraries round by shape."""
    groups = left.reshape(len(left) // _ROWS, _ROWS, left.shape[1])
    product: np.ndarray = np.matmul(groups, right)
    return product.reshape(len(left), right.shape[1])
