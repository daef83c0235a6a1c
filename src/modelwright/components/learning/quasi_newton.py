"""Minimising a smooth convex function plus a weighted sum of absolute values."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from modelwright.components.learning.encoding import Floats

SMALLEST_STEP = 1e-12
SMALLEST_SLOPE = 1e-12
SUFFICIENT = 1e-4


@dataclass(frozen=True)
class Curvature:
    """A step that was made, and by how much the gradient changed on it."""

    moved: Floats
    turned: Floats

    @property
    def scale(self) -> float:
        """One over the product of both, which is positive."""
        return 1.0 / float(self.moved @ self.turned)


@dataclass(frozen=True)
class Minimum:
    """Where the search ended.  converged: the improvement fell below the tolerance.

    known: of the function's curvature, for a search of a function much like it.
    """

    point: Floats
    value: float
    rounds: int
    converged: bool
    known: tuple[Curvature, ...] = ()


def minimise(
    function: Callable[[Floats], tuple[float, Floats]],
    start: Floats,
    *,
    absolute: Floats,
    memory: int,
    tolerance: float,
    rounds: int,
    known: Sequence[Curvature] = (),
) -> Minimum:
    """The minimum of function(x) + Σ absolute·|x|, by limited-memory quasi-Newton steps.

    function: gives value and gradient.  absolute: (n,), ≥ 0; 0 for a coordinate without such a
    penalty.  memory: how many past steps and changes of the gradient are kept.  It stops when a step
    improves the value by less than `tolerance`, relative to the value, or after `rounds` steps.
    known: of the curvature around `start`, so that the first steps need not find it out.
    Source: Andrew & Gao 2007 (OWL-QN); with no absolute values it is plain L-BFGS.
    """
    point = start
    smooth, gradient = function(point)
    value = smooth + float(absolute @ np.abs(point))
    kept: deque[Curvature] = deque(known, maxlen=memory)
    for round_ in range(rounds):
        slope = _slope(point, gradient, absolute)
        if np.linalg.norm(slope) <= SMALLEST_SLOPE:
            return Minimum(point, value, round_, True, tuple(kept))
        direction = -_inverse_hessian_times(slope, kept)
        # A step must not turn against the slope of the penalised function.
        penalised = absolute > 0
        direction[penalised & (direction * slope >= 0)] = 0.0
        descent = float(direction @ slope)
        if descent >= 0:
            kept.clear()
            direction = -slope
            descent = float(direction @ slope)
        side = np.where(point != 0, np.sign(point), np.sign(-slope))
        step = 1.0 if kept else min(1.0, 1.0 / float(np.linalg.norm(direction)))
        while True:
            trial = point + step * direction
            trial[penalised & (trial * side < 0)] = 0.0
            smooth, new_gradient = function(trial)
            new_value = smooth + float(absolute @ np.abs(trial))
            if new_value <= value + SUFFICIENT * float(slope @ (trial - point)):
                break
            step /= 2
            if step < SMALLEST_STEP:
                return Minimum(point, value, round_, True, tuple(kept))
        moved, turned = trial - point, new_gradient - gradient
        curvature = float(moved @ turned)
        if curvature > 1e-10 * float(turned @ turned):
            kept.append(Curvature(moved, turned))
        improvement = value - new_value
        point, value, gradient = trial, new_value, new_gradient
        if improvement <= tolerance * max(abs(value), 1e-300):
            return Minimum(point, value, round_ + 1, True, tuple(kept))
    return Minimum(point, value, rounds, False, tuple(kept))


def _slope(point: Floats, gradient: Floats, absolute: Floats) -> Floats:
    """The direction of steepest ascent of the penalised function, 0 where a corner holds the point."""
    right, left = gradient + absolute, gradient - absolute
    at_corner = np.where(right < 0, right, np.where(left > 0, left, 0.0))
    slope: Floats = np.where(point == 0, at_corner, gradient + absolute * np.sign(point))
    return slope


def _inverse_hessian_times(vector: Floats, kept: deque[Curvature]) -> Floats:
    """The two-loop recursion of L-BFGS."""
    result = vector.copy()
    shares: list[float] = []
    for step in reversed(kept):
        share = step.scale * float(step.moved @ result)
        shares.append(share)
        result -= share * step.turned
    if kept:
        last = kept[-1]
        result *= 1.0 / (last.scale * float(last.turned @ last.turned))
    for step, share in zip(kept, reversed(shares), strict=True):
        result += (share - step.scale * float(step.turned @ result)) * step.moved
    return result
