"""Neural Network Regression: a network with one output."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from modelwright.components.context import Context
from modelwright.components.learning.learner import REGRESSION, Fitted, TrainingData
from modelwright.components.learning.network import NATIVE
from modelwright.components.learning.networks import NeuralNetwork, standardised
from modelwright.components.learning.scores import number_column
from modelwright.components.parameters import Range, Shown
from modelwright.data.schema import Task


class NeuralNetworkRegression(NeuralNetwork, category=REGRESSION):
    """Predicts a number with a network of one hidden layer of hyperbolic tangents.

    It is learnt by stochastic gradient descent on the summed squared error of the label, scaled to a
    deviation of 1, plus twice the sum of squared weights; each step follows half the mean gradient of a
    50th of the examples, at most 200.  Numbers are scaled to a deviation of 1 around their mean; a
    category has an input per level.  The weights are the mean of those after the passes of the last
    quarter.
    """

    task: ClassVar[Task] = Task.REGRESSION

    learning_rate: Annotated[float, Field(gt=0), Shown(create_trainer_mode="SingleParameter")] = (
        0.02
    )
    """Size of the steps."""

    learning_rate_range: Annotated[Range, Shown(create_trainer_mode="ParameterRange")] = Range(
        values=(0.005, 0.01, 0.02, 0.04)
    )
    """Sizes of steps to try."""

    def fit(self, data: TrainingData, context: Context) -> Fitted:
        target, middle, spread = standardised(data.target)
        notes: dict[str, object] = {"finish": "line", "middle": middle, "spread": spread}
        network, answers = self.network(data, target, context, outputs=1, notes=notes)
        return Fitted(
            ((number_column(data.label), answers[0]),), natives={data.native(NATIVE): network}
        )
