"""Multiclass Neural Network: a network with an output for each class."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from modelwright.components.context import Context
from modelwright.components.learning.learner import CLASSIFICATION, Fitted, TrainingData
from modelwright.components.learning.network import NATIVE
from modelwright.components.learning.networks import NeuralNetwork
from modelwright.components.learning.scores import multiclass_scores
from modelwright.components.parameters import Range, Shown
from modelwright.data.schema import Task


class MulticlassNeuralNetwork(NeuralNetwork, category=CLASSIFICATION):
    """Predicts one of several classes with a network of one hidden layer of hyperbolic tangents.

    It is learnt by stochastic gradient descent on the summed logarithmic loss plus the sum of squared
    weights; each step follows the mean gradient of a 50th of the examples, at most 200.  Numbers are
    scaled to a deviation of 1 around their mean; a category has an input per level.  The weights
    are the mean of those after the passes of the last quarter.  The outputs, one per class, are made
    probabilities by the softmax.
    """

    task: ClassVar[Task] = Task.MULTICLASS

    learning_rate: Annotated[
        float,
        Field(gt=0, title="The learning rate"),
        Shown(create_trainer_mode="SingleParameter"),
    ] = 0.1
    """Size of the steps."""

    learning_rate_range: Annotated[
        Range,
        Field(title="The learning rate range"),
        Shown(create_trainer_mode="ParameterRange"),
    ] = Range(values=(0.1, 0.2, 0.4))
    """Sizes of steps to try."""

    def fit(self, data: TrainingData, context: Context) -> Fitted:
        network, answers = self.network(
            data,
            data.target,
            context,
            outputs=len(data.classes),
            notes={"finish": "softmax"},
        )
        working = data.working()
        return Fitted(
            multiclass_scores(data.label, data.classes, answers, working),
            natives={data.native(NATIVE): network},
            working=working,
        )
