"""Linear models under other losses than squares: two classes, many classes, counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from modelwright.components.learning.design import Design
from modelwright.components.learning.encoding import Floats
from modelwright.components.learning.quasi_newton import Minimum, minimise

ROUNDS = 1_000

Judge = Callable[[slice, Floats], tuple[float, Floats]]
"""Of some rows and their sums of weighted features: the loss, and its derivative by each sum."""


@dataclass(frozen=True)
class Penalties:
    """l1·Σ|w| + l2/2·Σw² over the weights of scaled features; intercepts are free."""

    l1: float
    l2: float


def fit_weights(
    design: Design,
    judge: Judge,
    *,
    penalties: Penalties,
    memory: int,
    tolerance: float,
    start: Floats,
) -> tuple[Floats, Minimum]:
    """(width + 1,) or (width + 1, k) weights, intercepts last, that minimise loss plus penalties."""
    shape = start.shape
    absolute = np.full(shape, penalties.l1)
    absolute[-1] = 0.0

    def function(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(shape)
        tables = design.tables(weights[:-1])
        value = penalties.l2 / 2 * float((weights[:-1] ** 2).sum())
        gradient = penalties.l2 * weights
        gradient[-1] = 0.0
        for block in design.blocks():
            sums = design.times_block(block, weights[:-1], tables) + weights[-1]
            loss, derivative = judge(block.rows, sums)
            value += loss
            design.add_transposed(block, derivative, gradient[:-1])
            gradient[-1] += derivative.sum(axis=0)
        return value, gradient.ravel()

    found = minimise(
        function,
        start.ravel(),
        absolute=absolute.ravel(),
        memory=memory,
        tolerance=tolerance,
        rounds=ROUNDS,
    )
    return found.point.reshape(shape), found


def two_class_loss(target: Floats) -> Judge:
    """Logarithmic loss for a target of {0, 1}; a sum is the log-odds of 1."""

    def judge(rows: slice, sums: Floats) -> tuple[float, Floats]:
        actual = target[rows]
        loss = float((np.logaddexp(0.0, sums) - actual * sums).sum())
        return loss, _sigmoid(sums) - actual

    return judge


def multiclass_loss(classes: np.ndarray[tuple[int], np.dtype[np.intp]]) -> Judge:
    """Logarithmic loss for class numbers; sums are (n, k), their softmax the probabilities."""

    def judge(rows: slice, sums: Floats) -> tuple[float, Floats]:
        actual = classes[rows]
        each = np.arange(len(actual))
        shifted = sums - sums.max(axis=1, keepdims=True)
        powers = np.exp(shifted)
        totals = powers.sum(axis=1, keepdims=True)
        loss = float((np.log(totals[:, 0]) - shifted[each, actual]).sum())
        derivative = powers / totals
        derivative[each, actual] -= 1.0
        return loss, derivative

    return judge


def count_loss(target: Floats) -> Judge:
    """Poisson loss without its constant, for a target ≥ 0; e to the power of a sum is the mean."""

    def judge(rows: slice, sums: Floats) -> tuple[float, Floats]:
        actual = target[rows]
        # A step that overshoots gets an infinite loss, and the search takes a smaller one.
        with np.errstate(over="ignore"):
            mean = np.exp(sums)
        return float((mean - actual * sums).sum()), mean - actual

    return judge


def _sigmoid(sums: Floats) -> Floats:
    with np.errstate(over="ignore"):
        share: Floats = 1.0 / (1.0 + np.exp(-sums))
    return share
