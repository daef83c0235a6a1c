"""Linear models under other losses than squares: two classes, many classes, counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from modelwright.components.learning.design import Design
from modelwright.components.learning.encoding import Floats
from modelwright.components.learning.quasi_newton import Curvature, Minimum, minimise

ROUNDS = 1_000

MANY_ROWS = 200_000
"""With so many, the search begins on a part of them."""

PART = 16
"""The part has one block in so many."""

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
    penalised = np.full(shape, penalties.l1)
    penalised[-1] = 0.0
    absolute: Floats = penalised.ravel()

    def summed(flat: Floats, every: int) -> tuple[float, Floats]:
        """Of every n-th block, with the rows of it standing for the others."""
        weights = flat.reshape(shape)
        tables = design.tables(weights[:-1])
        value, gradient = 0.0, np.zeros(shape)
        for block in islice(design.blocks(), 0, None, every):
            sums = design.times_block(block, weights[:-1], tables) + weights[-1]
            loss, derivative = judge(block.rows, sums)
            value += loss
            design.add_transposed(block, derivative, gradient[:-1])
            gradient[-1] += derivative.sum(axis=0)
        value = every * value + penalties.l2 / 2 * float((weights[:-1] ** 2).sum())
        gradient[-1] *= every
        gradient[:-1] = every * gradient[:-1] + penalties.l2 * weights[:-1]
        return value, gradient.ravel()

    def found(point: Floats, every: int, known: Sequence[Curvature] = ()) -> Minimum:
        return minimise(
            lambda flat: summed(flat, every),
            point,
            absolute=absolute,
            memory=memory,
            tolerance=tolerance,
            rounds=ROUNDS,
            known=known,
        )

    point, known = start.ravel(), tuple[Curvature, ...]()
    if design.rows >= MANY_ROWS:
        # A part of the rows tells roughly where the minimum is, in a fraction of the time.
        part = found(point, PART)
        # Of sorted rows a part may be nothing like the whole.
        if summed(part.point, 1)[0] < summed(point, 1)[0]:
            point, known = part.point, part.known
    end = found(point, 1, known)
    return end.point.reshape(shape), end


def two_class_loss(target: Floats) -> Judge:
    """Logarithmic loss for a target of {0, 1}; a sum is the log-odds of 1."""

    def judge(rows: slice, sums: Floats) -> tuple[float, Floats]:
        actual = target[rows]
        # Of -|sum| no power overflows, and one serves both the loss and its derivative.
        powers = np.exp(-np.abs(sums))
        whole = 1.0 + powers
        loss = float((np.maximum(sums, 0.0) - actual * sums + np.log(whole)).sum())
        return loss, np.where(sums >= 0, 1.0, powers) / whole - actual

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
