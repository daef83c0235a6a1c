"""Decision Forest Regression: trees whose predicted distributions are merged."""

from __future__ import annotations

from typing import ClassVar

from modelwright.components.context import Context
from modelwright.components.learning.boosting import tree_inputs
from modelwright.components.learning.decision_forests import DecisionForest
from modelwright.components.learning.forests import NATIVE
from modelwright.components.learning.learner import REGRESSION, Fitted, TrainingData
from modelwright.components.learning.scores import deviation_column, number_column
from modelwright.data.expression import native
from modelwright.data.schema import Schema, Task


class DecisionForestRegression(DecisionForest, category=REGRESSION):
    """Predicts a number with trees grown independently, each giving a normal distribution.

    Scored Labels is the mean of all of them together, and Scored Label Standard Deviation how wide
    they lie: the mean and deviation of the mixture of the trees' distributions.  A tree's is that of
    all rows in the leaf, also of those that it was not grown on.  A value that training never saw
    counts as missing.
    """

    task: ClassVar[Task] = Task.REGRESSION

    def further_scores(self) -> Schema:
        return Schema((deviation_column(None),))

    def fit(self, data: TrainingData, context: Context) -> Fitted:
        forest, importance = self.grow(data, context)
        inputs = tree_inputs(data.encoded.encoding)
        return Fitted(
            (
                (number_column(data.label), native(data.native(NATIVE), inputs, 0)),
                (deviation_column(data.label), native(data.native(NATIVE), inputs, 1)),
            ),
            natives={data.native(NATIVE): forest},
            learnt={"importance": importance},
            libraries=("scikit-learn",),
        )
