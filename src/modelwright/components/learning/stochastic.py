"""Linear regression by stochastic gradient descent, an example at a time."""

from __future__ import annotations

import numpy as np

from modelwright.components.learning.design import Design, Scaling
from modelwright.components.learning.encoding import Encoded, Floats
from modelwright.components.learning.errors import Diverged
from modelwright.components.learning.weights import LinearWeights

DECREASE = 0.25
"""The step shrinks with this power of the number of examples seen."""

WORST_ERROR = 100.0
"""Mean squared error in variances of the target, beyond which the steps only made things worse."""


def online_gradient_descent(
    data: Encoded,
    target: Floats,
    *,
    rate: float,
    epochs: int,
    normalise: bool,
    penalty: float,
    decrease: bool,
    seed: int,
) -> LinearWeights:
    """Weights after so many passes over the examples in random order.

    rate: the share of one average example's error that the first step takes away, so that it means
    the same for any number and size of features.  normalise: numbers are scaled to 0..1 while
    learning.  penalty: what a sum of squared weights of one adds to the sum of squared errors.
    Raises Diverged when the weights grow beyond all bounds.
    """
    from sklearn.linear_model import SGDRegressor

    numbers = data.encoding.numbers
    # Around their means, since the library lets an intercept learn slowly.
    scaling = Scaling.unit(numbers) if normalise else Scaling.none(numbers, centre=True)
    design = Design(data, scaling)
    matrix = design.sparse()
    # In units of its deviation, so that the errors of the first steps are of a known size.
    middle, spread = float(target.mean()), float(target.std()) or 1.0
    length = 1.0 + float(matrix.multiply(matrix).sum()) / design.rows
    learner = SGDRegressor(
        penalty="l2",
        # The library takes it beside the mean of the squared errors.
        alpha=penalty / design.rows,
        eta0=rate / length,
        learning_rate="invscaling" if decrease else "constant",
        power_t=DECREASE,
        max_iter=epochs,
        tol=None,
        random_state=seed,
    )
    wanted = (target - middle) / spread
    try:
        learner.fit(matrix, wanted)
    except ValueError as error:
        # The library's only word for it; any other fault of the values was found before.
        if "overflow" not in str(error):
            raise
        raise Diverged("Linear Regression", "Learning rate") from error
    weights, intercept = np.asarray(learner.coef_), float(learner.intercept_[0])
    if np.square(design.times(weights) + intercept - wanted).mean() > WORST_ERROR:
        raise Diverged("Linear Regression", "Learning rate")
    return LinearWeights.of_scaled(design, spread * weights, middle + spread * intercept)
