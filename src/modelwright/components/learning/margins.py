"""Linear classifiers that learn a margin, and the probability that a margin stands for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelwright.components.learning.contributions import LinearExplains
from modelwright.components.learning.design import Design
from modelwright.components.learning.encoding import Floats
from modelwright.components.learning.errors import Diverged
from modelwright.components.learning.generalised_linear import two_class_loss
from modelwright.components.learning.learner import Fitted, TrainingData
from modelwright.components.learning.quasi_newton import minimise
from modelwright.components.learning.scores import two_class_scores
from modelwright.components.learning.weights import LinearWeights
from modelwright.data.expression import Expression, Scalar, call, column, dot, lookup, when

BLOCK = 16_384
PART = 16
"""Of so many blocks of rows one is looked at first."""


@dataclass(frozen=True)
class Margin:
    """A linear margin over scaled features: positive on the side of the positive class.

    values: (width,) of the design's columns.  projected: whether rows are brought to unit length.
    """

    design: Design
    values: Floats
    intercept: float
    projected: bool = False

    def of_rows(self) -> Floats:
        """The margin of each training row."""
        sums = self.design.times(self.values)
        if self.projected:
            length = np.sqrt(self.design.squared_lengths())
            sums = np.divide(sums, length, out=np.zeros(len(sums)), where=length > 0)
        return sums + self.intercept

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
    design: Design, target: Floats, *, learner: str, projected: bool = False, **settings: Any
) -> Margin:
    """Stochastic gradient descent on the hinge loss, for a target of {0, 1}.

    settings: those of scikit-learn's SGDClassifier.  Raises Diverged.
    """
    from sklearn.linear_model import SGDClassifier

    # Numbers alone are read faster row by row than through lists of where they stand.
    matrix: Any = design.sparse() if design.sizes else design.dense()
    if projected:
        length = np.sqrt(design.squared_lengths())
        share = np.divide(1.0, length, out=np.zeros(len(length)), where=length > 0)
        if design.sizes:
            matrix.data *= np.repeat(share, np.diff(matrix.indptr))
        else:
            matrix *= share[:, None]
    descent = SGDClassifier(loss="hinge", tol=None, **settings)
    try:
        descent.fit(matrix, target)
    except ValueError as error:
        # The library's only word for it; any other fault of the values was found before.
        if "overflow" not in str(error):
            raise
        raise Diverged(learner, "Learning rate") from error
    return Margin(design, descent.coef_[0], float(descent.intercept_[0]), projected)


def calibrated(margin: Margin, data: TrainingData) -> Fitted:
    """A two-class model whose probability is a logistic curve over the margin."""
    slope, offset = calibrate(margin.of_rows(), data.target)
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

    Source: Platt 1999, with his targets, which keep a separable class from being certain.
    """
    positives = float(target.sum())
    negatives = len(target) - positives
    wanted = np.where(target > 0, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    scale = float(np.abs(margins).max()) or 1.0
    judge = two_class_loss(wanted)
    blocks = [slice(start, start + BLOCK) for start in range(0, len(target), BLOCK)]

    def found(line: Floats, some: Sequence[slice]) -> Floats:
        def function(line: Floats) -> tuple[float, Floats]:
            total, gradient = 0.0, np.zeros(2)
            for rows in some:
                loss, slope = judge(rows, line[0] / scale * margins[rows] + line[1])
                total += loss
                gradient += (float(slope @ margins[rows]) / scale, float(slope.sum()))
            return total, gradient

        return minimise(
            function, line, absolute=np.zeros(2), memory=5, tolerance=1e-12, rounds=200
        ).point

    line = np.array([1.0, 0.0])
    if len(blocks) >= PART:
        # A part of the rows tells nearly where the line is.
        line = found(line, blocks[::PART])
    line = found(line, blocks)
    # A line that falls would turn the classes around; then the margin says nothing.
    return max(float(line[0]) / scale, 0.0), float(line[1])


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
