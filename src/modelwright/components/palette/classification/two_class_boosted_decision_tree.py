"""Two-Class Boosted Decision Tree: trees that correct one another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from modelwright.components.learning.boosted_trees import BoostedTrees
from modelwright.components.learning.contributions import Scale
from modelwright.components.learning.learner import CLASSIFICATION, TrainingData, Working
from modelwright.components.learning.scores import two_class_scores
from modelwright.data.expression import Expression
from modelwright.data.schema import Column, Task


class TwoClassBoostedDecisionTree(
    BoostedTrees, category=CLASSIFICATION, title="Two-Class Boosted Decision Tree"
):
    """Predicts one of two classes with trees grown one after another, each on what the others miss.

    Trees are grown by LightGBM on the logarithmic loss, each on 0.7 of the rows and each split on 0.7
    of the features, drawn at random, with an L2 penalty of 10 on the values of leaves, as one may
    hold a single row.  A missing number takes the branch that suits it best; a missing text is a
    level of its own if training saw one.
    """

    task: ClassVar[Task] = Task.TWO_CLASS
    scale: ClassVar[Scale] = "log-odds"

    def objective(self, data: TrainingData) -> Mapping[str, Any]:
        return {"objective": "binary"}

    def scores(
        self, data: TrainingData, answers: list[Expression], working: Working
    ) -> tuple[tuple[Column, Expression], ...]:
        return two_class_scores(data.label, data.classes, answers[0])
