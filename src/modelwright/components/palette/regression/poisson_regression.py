"""Poisson Regression: counts as the exponential of a weighted sum."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from modelwright.components.context import Context
from modelwright.components.learning.contributions import LinearExplains
from modelwright.components.learning.design import Design, Scaling
from modelwright.components.learning.errors import NegativeLabel
from modelwright.components.learning.generalised_linear import (
    Penalties,
    count_loss,
    fit_weights,
)
from modelwright.components.learning.learner import (
    REGRESSION,
    Fitted,
    Learner,
    TrainerMode,
    TrainingData,
)
from modelwright.components.learning.scores import number_column
from modelwright.components.learning.weights import LinearWeights
from modelwright.components.parameters import Range, Shown
from modelwright.data.expression import call
from modelwright.data.schema import Task

_SINGLE = Shown(create_trainer_mode="SingleParameter")
_RANGES = Shown(create_trainer_mode="ParameterRange")


class PoissonRegression(Learner, category=REGRESSION):
    """Predicts a count, whose mean is the exponential of a weighted sum of the features.

    The label must be at least 0; fractions are taken as they are.  The weights minimise the summed
    Poisson loss plus L1·Σ|w| + L2/2·Σw², on numbers scaled to a standard deviation of 1, by
    limited-memory quasi-Newton steps; the intercept is free.  Nothing is left to chance.
    """

    task: ClassVar[Task] = Task.REGRESSION

    create_trainer_mode: TrainerMode = "SingleParameter"
    """Fixed values, or ranges of values for Tune Model Hyperparameters."""

    optimization_tolerance: Annotated[float, Field(gt=0), _SINGLE] = 1e-7
    """Training stops when a step lowers loss and penalties by a smaller share than this."""

    optimization_tolerance_range: Annotated[Range, _RANGES] = Range(values=(1e-5, 1e-8))
    """Tolerances to try."""

    l1_regularization_weight: Annotated[float, Field(ge=0), _SINGLE] = 1.0
    """Penalty that sets weights of little use to zero."""

    l1_regularization_weight_range: Annotated[Range, _RANGES] = Range(values=(0, 0.01, 0.1, 1))
    """L1 penalties to try."""

    l2_regularization_weight: Annotated[float, Field(ge=0), _SINGLE] = 1.0
    """Penalty that keeps weights small."""

    l2_regularization_weight_range: Annotated[Range, _RANGES] = Range(values=(0.01, 0.1, 1))
    """L2 penalties to try."""

    memory_size_for_l_bfgs: Annotated[int, Field(ge=1, title="Memory size for L-BFGS"), _SINGLE] = (
        20
    )
    """How many past steps and gradients are kept; fewer take less memory and more steps."""

    memory_size_for_l_bfgs_range: Annotated[
        Range, Field(title="Memory size for L-BFGS range"), _RANGES
    ] = Range(values=(5, 20, 50))
    """Memory sizes to try."""

    def fit(self, data: TrainingData, context: Context) -> Fitted:
        lowest = float(data.target.min())
        if lowest < 0:
            name = data.label.name if data.label else ""
            raise NegativeLabel(name, lowest, self.__component__.title)
        design = Design(data.encoded, Scaling.standard(data.encoded.encoding.numbers), keep=True)
        start = np.zeros(design.width + 1)
        # Without counts the mean would be e to the power of minus infinity.
        start[-1] = math.log(max(float(data.target.mean()), 1e-9))
        found, end = fit_weights(
            design,
            count_loss(data.target),
            penalties=Penalties(self.l1_regularization_weight, self.l2_regularization_weight),
            memory=self.memory_size_for_l_bfgs,
            tolerance=self.optimization_tolerance,
            start=start,
        )
        context.log(f"{end.rounds} steps, loss and penalties {end.value:.6g}.")
        if not end.converged:
            context.log("The tolerance was not reached; the last step's weights are used.")
        weights = LinearWeights.of_scaled(design, found[:-1], float(found[-1]))
        return Fitted(
            ((number_column(data.label), call("exp", weights.expression())),),
            learnt={"weights": weights.listed(), "steps": end.rounds, "converged": end.converged},
            explains=LinearExplains((weights,), "log of the label"),
        )
