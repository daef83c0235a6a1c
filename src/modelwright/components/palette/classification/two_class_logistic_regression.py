"""Two-Class Logistic Regression: the odds of two classes as a weighted sum of the features."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from modelwright.components.context import Context
from modelwright.components.learning.contributions import LinearExplains
from modelwright.components.learning.design import Design, Scaling
from modelwright.components.learning.generalised_linear import (
    Penalties,
    fit_weights,
    two_class_loss,
)
from modelwright.components.learning.learner import (
    CLASSIFICATION,
    Fitted,
    Learner,
    TrainerMode,
    TrainingData,
)
from modelwright.components.learning.scores import two_class_scores
from modelwright.components.learning.seed import Seed
from modelwright.components.learning.weights import LinearWeights
from modelwright.components.parameters import Range, Shown
from modelwright.data.expression import call
from modelwright.data.schema import Task

_SINGLE = Shown(create_trainer_mode="SingleParameter")
_RANGES = Shown(create_trainer_mode="ParameterRange")


class TwoClassLogisticRegression(
    Learner, category=CLASSIFICATION, title="Two-Class Logistic Regression"
):
    """Predicts one of two classes from a weighted sum of the features that gives its log-odds.

    The weights minimise the summed logarithmic loss plus L1·Σ|w| + L2/2·Σw², by limited-memory
    quasi-Newton steps.  The penalties speak of numbers scaled to a standard deviation of 1, so that
    units do not matter; the intercept is free.  The trained model takes features as they are.
    """

    task: ClassVar[Task] = Task.TWO_CLASS

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

    random_number_seed: Seed = 0
    """Draws the small weights that training starts from; the result depends on them little."""

    def fit(self, data: TrainingData, context: Context) -> Fitted:
        design = Design(data.encoded, Scaling.standard(data.encoded.encoding.numbers), keep=True)
        chance = np.random.default_rng(self.random_number_seed)
        start = chance.uniform(-1e-3, 1e-3, design.width + 1)
        # No step moves the weight of a number that never changes.
        start[: design.numbers][data.encoded.encoding.still] = 0.0
        found, end = fit_weights(
            design,
            two_class_loss(data.target),
            penalties=Penalties(self.l1_regularization_weight, self.l2_regularization_weight),
            memory=self.memory_size_for_l_bfgs,
            tolerance=self.optimization_tolerance,
            start=start,
        )
        context.log(f"{end.rounds} steps, loss and penalties {end.value:.6g}.")
        if not end.converged:
            context.log("The tolerance was not reached; the last step's weights are used.")
        weights = LinearWeights.of_scaled(design, found[:-1], float(found[-1]))
        working = data.working()
        probability = working.column(call("sigmoid", weights.expression()))
        return Fitted(
            two_class_scores(data.label, data.classes, probability),
            learnt={"weights": weights.listed(), "steps": end.rounds, "converged": end.converged},
            working=working,
            explains=LinearExplains((weights,), "log-odds"),
        )
