"""Least squares with an L2 penalty, exactly, for few rows and for very many."""

from __future__ import annotations

import numpy as np

from modelwright.components.learning.design import Design, Scaling
from modelwright.components.learning.encoding import Encoded, Floats
from modelwright.components.learning.weights import LinearWeights

DENSE_CELLS = 2_000_000
DENSE_WIDTH = 400
"""Up to so many cells and columns the matrix is built and solved by an orthogonal method."""

GRAM_WIDTH = 3_000
"""Up to so many columns their products are held; beyond, conjugate gradients need none."""


def ridge(data: Encoded, target: Floats, *, penalty: float, intercept: bool) -> LinearWeights:
    """Weights b and intercept b0 that minimise |y - X b - b0|² + penalty·|b|².

    X holds numbers scaled to a standard deviation of 1 and one column per level; the weights that
    are given are those of numbers as they are.  The intercept is not penalised; without it the fit
    goes through the origin.  Of several equally good solutions, possible without penalty only, the
    shortest is given.
    """
    scaling = Scaling.standard(data.encoding.numbers, centre=intercept)
    design = Design(data, scaling)
    penalties = np.full(design.width, penalty)
    offset = float(target.mean()) if intercept else 0.0
    centred = target - offset
    if design.width <= DENSE_WIDTH and design.rows * design.width <= DENSE_CELLS:
        means = np.zeros(design.width)
        weights = _orthogonal(design, centred, penalties, means if intercept else None)
    else:
        means = design.means() if intercept else np.zeros(design.width)
        solve = _by_products if design.width <= GRAM_WIDTH else _by_conjugate_gradients
        weights = solve(design, centred, penalties, means)
    return LinearWeights.of_scaled(design, weights, offset - float(means @ weights))


def _orthogonal(design: Design, target: Floats, penalties: Floats, means: Floats | None) -> Floats:
    matrix = design.dense()
    if means is not None:
        means[:] = matrix.mean(axis=0)
        matrix -= means
    if penalties.any():
        matrix = np.concatenate([matrix, np.diag(np.sqrt(penalties))])
        target = np.concatenate([target, np.zeros(design.width)])
    weights: Floats = np.linalg.lstsq(matrix, target, rcond=None)[0].astype(np.float64)
    return weights


def _by_products(design: Design, target: Floats, penalties: Floats, means: Floats) -> Floats:
    """The normal equations, with the loss of digits that squaring costs mended by refinement."""
    from scipy.linalg import cho_factor, cho_solve

    gram, product = design.gram(target)
    gram -= design.rows * np.outer(means, means)
    gram[np.diag_indices_from(gram)] += penalties
    product -= means * target.sum()
    try:
        factor = cho_factor(gram)
    except np.linalg.LinAlgError:
        return _shortest(gram, product)
    weights: Floats = cho_solve(factor, product)
    diagonal = np.abs(np.diag(factor[0]))
    condition = (diagonal.max() / diagonal.min()) ** 2
    if condition > 1e14:
        return _shortest(gram, product)
    # Each round multiplies the error by about condition x 1e-16.
    for _ in range(3 if condition > 1e10 else 1 if condition > 1e4 else 0):
        change = cho_solve(factor, _descent(design, target, penalties, means, weights))
        weights = weights + change
        if np.linalg.norm(change) <= 1e-13 * np.linalg.norm(weights):
            break
    return weights


def _descent(
    design: Design, target: Floats, penalties: Floats, means: Floats, weights: Floats
) -> Floats:
    """Half the negative gradient of the penalised sum of squares, from the rows themselves."""
    residual = target - design.times(weights) + means @ weights
    product: Floats = design.transposed_times(residual) - means * residual.sum()
    return product - penalties * weights


def _shortest(gram: Floats, product: Floats) -> Floats:
    """The shortest solution of equations that leave some directions free."""
    values, vectors = np.linalg.eigh(gram)
    kept = values > values[-1] * len(values) * np.finfo(float).eps * 10
    inverse = np.where(kept, 1 / np.where(kept, values, 1.0), 0.0)
    solved: Floats = vectors @ (inverse * (vectors.T @ product))
    return solved


def _by_conjugate_gradients(
    design: Design, target: Floats, penalties: Floats, means: Floats
) -> Floats:
    """For so many columns that even their products would fill the memory."""
    squares = _column_squares(design) - design.rows * means**2 + penalties
    scale = 1 / np.where(squares > 0, squares, 1.0)
    weights = np.zeros(design.width)
    residual = _descent(design, target, penalties, means, weights)
    goal = 1e-10 * np.linalg.norm(residual)
    direction = scale * residual
    energy = residual @ direction
    for _ in range(500):
        if np.linalg.norm(residual) <= goal:
            break
        image = -_descent(design, np.zeros(design.rows), penalties, means, direction)
        step = energy / (direction @ image)
        weights += step * direction
        residual -= step * image
        previous, energy = energy, residual @ (scale * residual)
        direction = scale * residual + (energy / previous) * direction
    return weights


def _column_squares(design: Design) -> Floats:
    squares = np.zeros(design.width)
    for block in design.blocks():
        squares[: design.numbers] += (block.numbers**2).sum(axis=0)
        for start, size, code in zip(design.starts, design.sizes, block.codes, strict=True):
            squares[start : start + size] += np.bincount(code, minlength=size + 1)[:size]
    return squares
