"""Linear Regression: a weighted sum of the features."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from modelwright.components.context import Context
from modelwright.components.learning.contributions import LinearExplains
from modelwright.components.learning.learner import (
    REGRESSION,
    Fitted,
    Learner,
    TrainerMode,
    TrainingData,
)
from modelwright.components.learning.least_squares import ridge
from modelwright.components.learning.scores import number_column
from modelwright.components.learning.seed import Seed
from modelwright.components.learning.stochastic import online_gradient_descent
from modelwright.components.parameters import Range, Shown
from modelwright.data.schema import Task

_DESCENT = "Online Gradient Descent"
_SINGLE = Shown(solution_method=_DESCENT, create_trainer_mode="SingleParameter")
_RANGES = Shown(solution_method=_DESCENT, create_trainer_mode="ParameterRange")


class LinearRegression(Learner, category=REGRESSION):
    """Predicts a number as a weighted sum of the features, fitted by least squares or step by step.

    Both methods minimise the sum of squared errors plus the L2 weight times the sum of squared
    weights: Ordinary Least Squares exactly, on numbers scaled to a standard deviation of 1, so that
    their units do not matter; Online Gradient Descent by moving the weights a little after each
    example, on features as it scales them.  The default L2 weight counts like one row against each
    weight: it keeps a level that few rows have from being learnt by heart, and is nothing beside
    many rows.  Either way a category has a weight per level, a missing number counts as the mean of
    training, and the trained model takes features as they are.
    """

    task: ClassVar[Task] = Task.REGRESSION

    solution_method: Literal["Ordinary Least Squares", "Online Gradient Descent"] = (
        "Ordinary Least Squares"
    )
    """Exact solution, or stochastic gradient descent."""

    create_trainer_mode: Annotated[TrainerMode, Shown(solution_method=_DESCENT)] = "SingleParameter"
    """Fixed values, or ranges of values for Tune Model Hyperparameters."""

    learning_rate: Annotated[float, Field(gt=0), _SINGLE] = 0.1
    """Share of an average example's error that the first step takes away; from 2 on it diverges."""

    learning_rate_range: Annotated[Range, _RANGES] = Range(values=(0.025, 0.05, 0.1, 0.2))
    """Learning rates to try."""

    number_of_training_epochs: Annotated[int, Field(ge=1), _SINGLE] = 10
    """Passes over the examples; the fewer rows, the more are needed."""

    number_of_training_epochs_range: Annotated[Range, _RANGES] = Range(values=(1, 10, 100))
    """Numbers of passes to try."""

    normalize_features: Annotated[bool, Shown(solution_method=_DESCENT)] = True
    """Scale numbers to 0..1 while learning."""

    l2_regularization_weight: Annotated[float, Field(ge=0)] = 1.0
    """Penalty on large weights; the intercept is free.  In ParameterRange mode its range is used."""

    l2_regularization_weight_range: Annotated[Range, _RANGES] = Range(values=(0.1, 1.0, 10.0))
    """Penalties to try."""

    include_intercept_term: Annotated[bool, Shown(solution_method="Ordinary Least Squares")] = True
    """Fit an intercept; without it the weighted sum of all-zero features is zero."""

    decrease_learning_rate: Annotated[bool, Shown(solution_method=_DESCENT)] = True
    """Let steps shrink, with the fourth root of the number of examples seen."""

    random_number_seed: Seed = 0
    """Fixes the order of the examples; Ordinary Least Squares leaves nothing to chance."""

    def fit(self, data: TrainingData, context: Context) -> Fitted:
        libraries: tuple[str, ...] = ()
        if self.solution_method == "Ordinary Least Squares":
            weights = ridge(
                data.encoded,
                data.target,
                penalty=self.l2_regularization_weight,
                intercept=self.include_intercept_term,
            )
        else:
            libraries = ("scikit-learn",)
            weights = online_gradient_descent(
                data.encoded,
                data.target,
                rate=self.learning_rate,
                epochs=self.number_of_training_epochs,
                normalise=self.normalize_features,
                penalty=self.l2_regularization_weight,
                decrease=self.decrease_learning_rate,
                seed=self.random_number_seed,
            )
        return Fitted(
            ((number_column(data.label), weights.expression()),),
            learnt={"weights": weights.listed()},
            libraries=libraries,
            explains=LinearExplains((weights,)),
        )
