"""Linear classifiers that learn a margin, and the probability that a margin stands for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelwright.components.learning.contributions import LinearExplains
from modelwright.components.learning.design import Design, Indices
from modelwright.components.learning.encoding import Floats
from modelwright.components.learning.errors import Diverged
from modelwright.components.learning.learner import Fitted, TrainingData
from modelwright.components.learning.scores import two_class_scores
from modelwright.components.learning.weights import LinearWeights
from modelwright.data.expression import Expression, Scalar, call, column, dot, lookup, when

BLOCK = 8_192
PART = 16
"""Of so many blocks of rows one is looked at first."""

MANY_ROWS, MANY_CELLS = 20_000, 1_000_000
"""Beyond both a matrix is no longer in the cache, and another order on each pass makes no better margin."""

STEPS, HALVINGS = 100, 30
LITTLE = 1e-8
"""A step that gains no more than this share of the loss is the last one."""


@dataclass(frozen=True)
class Margin:
    """A linear margin over scaled features: positive on the side of the positive class.

    values: (width,) of the design's columns.  of_rows: (rows,) the margin of each training row.
    projected: whether rows are brought to unit length.
    """

    design: Design
    values: Floats
    intercept: float
    of_rows: Floats
    projected: bool = False

    def weights(self) -> LinearWeights:
        """The margin as weights of features as they are; of unprojected rows only."""
        return LinearWeights.of_scaled(self.design, self.values, self.intercept)

    def expression(self) -> Expression:
        """The margin over the feature columns."""
        if not self.projected:
            return self.weights().expression()
        inner = LinearWeights.of_scaled(self.design, self.values, 0.0).expression()
        length = call("sqrt", _squared_length(self.design))
        return when(length > 0.0, inner / length, 0.0) + self.intercept


def learn_margin(
    design: Design,
    target: Floats,
    *,
    learner: str,
    seed: int,
    projected: bool = False,
    **settings: Any,
) -> Margin:
    """Stochastic gradient descent on the hinge loss, for a target of {0, 1}.

    Examples come in a random order, another one on each pass; those of a large matrix are written in
    a random order, which all passes keep.  seed: of the orders.  settings: those of scikit-learn's
    SGDClassifier.  Raises Diverged.
    """
    from sklearn import config_context
    from sklearn.linear_model import SGDClassifier

    places: Indices | None = None
    if design.rows > MANY_ROWS and design.rows * (design.numbers + len(design.sizes)) > MANY_CELLS:
        # To wait for memory at each row of each pass takes four times as long as to learn from it.
        places = np.random.default_rng(seed).permutation(design.rows)
    # Numbers alone are read faster row by row than through lists of where they stand.
    build = design.sparse if design.sizes else design.dense
    matrix: Any = build(places=places)
    side = placed(target.astype(np.int8), places)
    if projected:
        length = placed(np.sqrt(design.squared_lengths()), places)
        share = np.divide(1.0, length, out=np.zeros(len(length)), where=length > 0)
        if design.sizes:
            matrix.data *= np.repeat(share, np.diff(matrix.indptr))
        else:
            matrix *= share[:, None]
    descent = SGDClassifier(
        loss="hinge", tol=None, shuffle=places is None, random_state=seed, **settings
    )
    try:
        # The library sorts the classes, of bytes in no time, and would look for what is not finite again.
        with config_context(assume_finite=True):
            descent.fit(matrix, side)
    except ValueError as error:
        # The library's only word for it; any other fault of the values was found before.
        if "overflow" not in str(error):
            raise
        raise Diverged(learner, "Learning rate") from error
    values, intercept = descent.coef_[0], float(descent.intercept_[0])
    margins = matrix @ values + intercept
    of_rows = margins if places is None else margins[places]
    return Margin(design, values, intercept, of_rows, projected)


def placed(values: np.ndarray, places: Indices | None) -> np.ndarray:
    """Values of rows, (n,), each written where its row is; as they are without places."""
    if places is None:
        return values
    out = np.empty_like(values)
    out[places] = values
    return out


def calibrated(margin: Margin, data: TrainingData) -> Fitted:
    """A two-class model whose probability is a logistic curve over the margin."""
    slope, offset = calibrate(margin.of_rows, data.target)
    working = data.working()
    likely = call("sigmoid", margin.expression() * slope + offset)
    stretched = margin.weights().stretched(slope, offset)
    return Fitted(
        two_class_scores(data.label, data.classes, working.column(likely)),
        learnt={"weights": margin.weights().listed()},
        libraries=("scikit-learn",),
        working=working,
        # On the unit sphere a row's length changes what each of its features weighs.
        explains=None if margin.projected else LinearExplains((stretched,), "log-odds"),
    )


def calibrate(margins: Floats, target: Floats) -> tuple[float, float]:
    """Slope and offset of the log-odds of the positive class as a line over the margin.

    Source: Platt 1999, with his targets, which keep a separable class from being certain; by Newton's
    method with smaller steps where one goes too far, as Lin, Lin & Weng 2007.
    """
    positives = float(target.sum())
    negatives = len(target) - positives
    wanted = np.where(target > 0, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    scale = max(float(margins.max()), -float(margins.min())) or 1.0
    scaled = margins / scale
    blocks = [slice(start, start + BLOCK) for start in range(0, len(target), BLOCK)]
    line = np.array([1.0, 0.0])
    if len(blocks) >= PART:
        # A part of the rows tells nearly where the line is.
        line = _best_line(scaled, wanted, blocks[::PART], line)
    line = _best_line(scaled, wanted, blocks, line)
    # A line that falls would turn the classes around; then the margin says nothing.
    return max(float(line[0]) / scale, 0.0), float(line[1])


def _best_line(margins: Floats, wanted: Floats, blocks: Sequence[slice], line: Floats) -> Floats:
    """The line over the margins whose logarithmic loss is the smallest, searched from another."""
    loss, slope, bend = _of_line(margins, wanted, blocks, line)
    for _ in range(STEPS):
        # Of least squares, since margins that are all alike bend the loss in one direction only.
        step = np.linalg.lstsq(bend, -slope)[0]
        if -float(slope @ step) <= LITTLE * abs(loss):
            # So near the end each step squares the error: what is left after this one is nothing.
            return line + step
        for _ in range(HALVINGS):
            found = _of_line(margins, wanted, blocks, line + step)
            if found[0] <= loss:
                break
            step /= 2
        else:
            break
        line, (loss, slope, bend) = line + step, found
    return line


def _of_line(
    margins: Floats, wanted: Floats, blocks: Sequence[slice], line: Floats
) -> tuple[float, Floats, Floats]:
    """The logarithmic loss of a line over the margins, its slope (2,) and its bend (2, 2)."""
    loss, slope, bend = 0.0, np.zeros(2), np.zeros((2, 2))
    for rows in blocks:
        some, odds = margins[rows], line[0] * margins[rows] + line[1]
        # Of -|odds| no power overflows, and one serves the loss, the likelihood and its slope.
        powers = np.exp(-np.abs(odds))
        whole = powers + 1.0
        loss += float(np.maximum(odds, 0.0).sum() - wanted[rows] @ odds + np.log(whole).sum())
        off = np.where(odds >= 0, 1.0, powers)
        off /= whole
        off -= wanted[rows]
        slope += (off @ some, off.sum())
        np.square(whole, out=whole)
        powers /= whole
        leaning = float(powers @ some)
        np.square(some, out=odds)
        bend += ((powers @ odds, leaning), (leaning, powers.sum()))
    return loss, slope, bend


def _squared_length(design: Design) -> Expression:
    scaling = design.scaling
    added: list[tuple[Expression, float]] = []
    for at, number in enumerate(design.data.encoding.numbers):
        value = column(number.name).fill_missing(number.mean)
        value = (value - float(scaling.shift[at])) / float(scaling.scale[at])
        added.append((value * value, 1.0))
    for category in design.data.encoding.categories:
        levels: dict[Scalar, Scalar] = dict.fromkeys(category.levels, 1.0)
        added.append((lookup(column(category.name), levels, 0.0), 1.0))
    return dot(added)
