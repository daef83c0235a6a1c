"""Two-Class Neural Network: a network with an output for each of two classes."""

from __future__ import annotations

from typing import ClassVar

from modelwright.components.context import Context
from modelwright.components.learning.learner import CLASSIFICATION, Fitted, TrainingData
from modelwright.components.learning.network import NATIVE
from modelwright.components.learning.networks import NeuralNetwork
from modelwright.components.learning.scores import two_class_scores
from modelwright.data.schema import Task


class TwoClassNeuralNetwork(
    NeuralNetwork, category=CLASSIFICATION, title="Two-Class Neural Network"
):
    """Predicts one of two classes with a network of one hidden layer of hyperbolic tangents.

    It is learnt by stochastic gradient descent on the summed logarithmic loss plus the sum of squared
    weights; each step follows the mean gradient of a 50th of the examples, at most 200.  Numbers are
    scaled to a deviation of 1 around their mean; a category has an input per level.  The weights
    are the mean of those after the passes of the last quarter.  The two outputs are made probabilities
    by the softmax.
    """

    task: ClassVar[Task] = Task.TWO_CLASS

    def fit(self, data: TrainingData, context: Context) -> Fitted:
        network, answers = self.network(
            data, data.target, context, outputs=2, notes={"finish": "softmax"}
        )
        return Fitted(
            two_class_scores(data.label, data.classes, answers[1]),
            natives={data.native(NATIVE): network},
        )
