"""Two-Class Decision Forest: trees that decide together."""

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
from modelwright.components.learning.scores import two_class_scores
from modelwright.data.expression import all_of, column, literal, lookup, native, when
from modelwright.data.schema import Task


class TwoClassDecisionForest(
    DecisionForest, category=CLASSIFICATION, title="Two-Class Decision Forest"
):
    """Predicts one of two classes with trees grown independently, each counting rows of both.

    The counts in the leaves that a row falls into are added up, so a leaf of many rows weighs more.
    With Bagging these are rows that a tree was not grown on, and two more in the shares of those
    that it was.
    """

    task: ClassVar[Task] = Task.TWO_CLASS

    allow_unknown_values_for_categorical_features: bool = True
    """Score rows with a value that training never saw as if it were missing; else give no score."""

    def fit(self, data: TrainingData, context: Context) -> Fitted:
        forest, importance = self.grow(data, context)
        encoding = data.encoded.encoding
        probability = native(data.native(NATIVE), tree_inputs(encoding), 1)
        working = data.working()
        if encoding.categories and not self.allow_unknown_values_for_categorical_features:
            known = [
                lookup(column(c.name), dict.fromkeys(c.levels, True), default=False)
                for c in encoding.categories
            ]
            probability = working.column(when(all_of(known), probability, literal(None)))
        return Fitted(
            two_class_scores(data.label, data.classes, probability),
            natives={data.native(NATIVE): forest},
            learnt={"importance": importance},
            libraries=("scikit-learn",),
            working=working,
        )
