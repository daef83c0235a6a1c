"""Multiclass Decision Forest: trees that decide together, for several classes."""

from __future__ import annotations

from typing import ClassVar

from modelwright.components.context import Context
from modelwright.components.learning.boosting import tree_inputs
from modelwright.components.learning.decision_forests import DecisionForest
from modelwright.components.learning.forests import NATIVE
from modelwright.components.learning.learner import (
    CLASSIFICATION,
    Fitted,
    TrainingData,
)
from modelwright.components.learning.scores import multiclass_scores
from modelwright.data.expression import native
from modelwright.data.schema import Task


class MulticlassDecisionForest(DecisionForest, category=CLASSIFICATION):
    """Predicts one of several classes with trees grown independently, each counting rows of all.

    The counts in the leaves that a row falls into are added up, so a leaf of many rows weighs more.
    With Bagging these are rows that a tree was not grown on, and two more in the shares of those
    that it was.  A value that training never saw counts as missing.
    """

    task: ClassVar[Task] = Task.MULTICLASS

    def fit(self, data: TrainingData, context: Context) -> Fitted:
        forest, importance = self.grow(data, context)
        inputs = tree_inputs(data.encoded.encoding)
        shares = [native(data.native(NATIVE), inputs, at) for at in range(len(data.classes))]
        working = data.working()
        return Fitted(
            multiclass_scores(data.label, data.classes, shares, working),
            natives={data.native(NATIVE): forest},
            learnt={"importance": importance},
            libraries=("scikit-learn",),
            working=working,
        )
