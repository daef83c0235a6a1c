"""Two-Class Averaged Perceptron: weights moved by each mistake, and averaged over all moves."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from modelwright.components.context import Context
from modelwright.components.learning.design import Design, Scaling
from modelwright.components.learning.learner import (
    CLASSIFICATION,
    Fitted,
    Learner,
    TrainerMode,
    TrainingData,
)
from modelwright.components.learning.margins import calibrated, learn_margin
from modelwright.components.learning.seed import Seed
from modelwright.components.parameters import Range, Shown
from modelwright.data.schema import Task

_SINGLE = Shown(create_trainer_mode="SingleParameter")
_RANGES = Shown(create_trainer_mode="ParameterRange")


class TwoClassAveragedPerceptron(
    Learner, category=CLASSIFICATION, title="Two-Class Averaged Perceptron"
):
    """Predicts one of two classes by a weighted sum that every doubtful example has moved a little.

    Examples are taken one by one; one on the wrong side, or by less than 1 on the right side, moves
    the weights towards it by the learning rate.  The model is the average of the weights over all
    examples.  Numbers are scaled to an interval of length 1 around their mean.  The probability is a
    logistic curve over the sum, fitted to the training rows after Platt.
    """

    task: ClassVar[Task] = Task.TWO_CLASS

    create_trainer_mode: TrainerMode = "SingleParameter"
    """Fixed values, or ranges of values for Tune Model Hyperparameters."""

    learning_rate: Annotated[float, Field(gt=0), _SINGLE] = 1.0
    """How far an example moves the weights."""

    learning_rate_range: Annotated[Range, _RANGES] = Range(values=(0.1, 0.5, 1.0))
    """Learning rates to try."""

    maximum_number_of_iterations: Annotated[int, Field(ge=1), _SINGLE] = 10
    """Passes over the examples; few generalise better, many fit better."""

    maximum_number_of_iterations_range: Annotated[Range, _RANGES] = Range(values=(1, 10))
    """Numbers of passes to try."""

    random_number_seed: Seed = 0
    """Fixes the order of the examples."""

    def fit(self, data: TrainingData, context: Context) -> Fitted:
        margin = learn_margin(
            Design(data.encoded, Scaling.unit(data.encoded.encoding.numbers)),
            data.target,
            learner=self.__component__.title,
            seed=self.random_number_seed,
            penalty=None,
            learning_rate="constant",
            eta0=self.learning_rate,
            max_iter=self.maximum_number_of_iterations,
            average=True,
        )
        return calibrated(margin, data)
