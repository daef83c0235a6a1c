"""Two-Class Support Vector Machine: the widest margin between two classes."""

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


class TwoClassSupportVectorMachine(
    Learner, category=CLASSIFICATION, title="Two-Class Support Vector Machine"
):
    """Predicts one of two classes by the side of a plane that parts them with a wide margin.

    A linear support vector machine, learnt by stochastic gradient descent on the mean hinge loss plus
    Lambda/2·Σw² (an L2 penalty, as margins have), with the weights averaged over all steps.  The
    probability is a logistic curve over the margin, fitted to the training rows after Platt.
    """

    task: ClassVar[Task] = Task.TWO_CLASS

    create_trainer_mode: TrainerMode = "SingleParameter"
    """Fixed values, or ranges of values for Tune Model Hyperparameters."""

    number_of_iterations: Annotated[int, Field(ge=1), _SINGLE] = 10
    """Passes over the examples; one is enough for very many rows."""

    number_of_iterations_range: Annotated[Range, _RANGES] = Range(values=(1, 10, 100))
    """Numbers of passes to try."""

    lambda_weight: Annotated[float, Field(gt=0, title="Lambda"), _SINGLE] = 0.001
    """Penalty on large weights; larger values give simpler models with wider margins."""

    lambda_weight_range: Annotated[Range, Field(title="Lambda range"), _RANGES] = Range(
        values=(0.00001, 0.0001, 0.001, 0.01, 0.1)
    )
    """Penalties to try."""

    normalize_features: bool = True
    """Centre numbers at their mean and scale them to a standard deviation of 1."""

    project_to_the_unit_sphere: bool = False
    """Bring each row, after that, to a length of 1."""

    random_number_seed: Seed = 0
    """Fixes the order of the examples."""

    def fit(self, data: TrainingData, context: Context) -> Fitted:
        numbers = data.encoded.encoding.numbers
        if self.normalize_features:
            scaling = Scaling.standard(numbers)
        else:
            scaling = Scaling.none(numbers, centre=not self.project_to_the_unit_sphere)
        margin = learn_margin(
            Design(data.encoded, scaling),
            data.target,
            learner=self.__component__.title,
            seed=self.random_number_seed,
            projected=self.project_to_the_unit_sphere,
            penalty="l2",
            alpha=self.lambda_weight,
            max_iter=self.number_of_iterations,
            average=True,
        )
        return calibrated(margin, data)
