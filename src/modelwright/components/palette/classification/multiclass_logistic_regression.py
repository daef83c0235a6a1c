"""Multiclass Logistic Regression: a weighted sum of the features for each class."""

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
    multiclass_loss,
)
from modelwright.components.learning.learner import (
    CLASSIFICATION,
    Fitted,
    Learner,
    TrainerMode,
    TrainingData,
)
from modelwright.components.learning.scores import softmax_scores
from modelwright.components.learning.seed import Seed
from modelwright.components.learning.weights import LinearWeights
from modelwright.components.parameters import Range, Shown
from modelwright.data.schema import Task

_SINGLE = Shown(create_trainer_mode="SingleParameter")
_RANGES = Shown(create_trainer_mode="ParameterRange")
_MEMORY = 20


class MulticlassLogisticRegression(Learner, category=CLASSIFICATION):
    """Predicts one of several classes, each from a weighted sum of the features of its own.

    Probabilities are the softmax of the sums (a multinomial model, not one against the rest).  The
    weights minimise the summed logarithmic loss plus L1·Σ|w| + L2/2·Σw², on numbers scaled to a
    standard deviation of 1; intercepts are free.  The trained model takes features as they are.
    """

    task: ClassVar[Task] = Task.MULTICLASS

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

    random_number_seed: Seed = 0
    """Draws the small weights that training starts from; the result depends on them little."""

    def fit(self, data: TrainingData, context: Context) -> Fitted:
        design = Design(data.encoded, Scaling.standard(data.encoded.encoding.numbers), keep=True)
        chance = np.random.default_rng(self.random_number_seed)
        start = chance.uniform(-1e-3, 1e-3, (design.width + 1, len(data.classes)))
        # No step moves the weights of a number that never changes.
        start[: design.numbers][data.encoded.encoding.still] = 0.0
        found, end = fit_weights(
            design,
            multiclass_loss(data.target.astype(np.intp)),
            penalties=Penalties(self.l1_regularization_weight, self.l2_regularization_weight),
            memory=_MEMORY,
            tolerance=self.optimization_tolerance,
            start=start,
        )
        context.log(f"{end.rounds} steps, loss and penalties {end.value:.6g}.")
        if not end.converged:
            context.log("The tolerance was not reached; the last step's weights are used.")
        each = [
            LinearWeights.of_scaled(design, column[:-1], float(column[-1])) for column in found.T
        ]
        working = data.working()
        sums = [weights.expression() for weights in each]
        listed = [
            {"class": name, **line}
            for name, weights in zip(data.classes, each, strict=True)
            for line in weights.listed()
        ]
        return Fitted(
            softmax_scores(data.label, data.classes, sums, working),
            learnt={"weights": listed, "steps": end.rounds, "converged": end.converged},
            working=working,
            explains=LinearExplains(tuple(each), "score of the class"),
        )
