"""Boosted Decision Tree Regression: trees that correct one another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from modelwright.components.learning.boosted_trees import BoostedTrees
from modelwright.components.learning.learner import REGRESSION, TrainingData, Working
from modelwright.components.learning.scores import number_column
from modelwright.data.expression import Expression
from modelwright.data.schema import Column, Task


class BoostedDecisionTreeRegression(BoostedTrees, category=REGRESSION):
    """Predicts a number with trees grown one after another, each on the residuals of those before.

    Trees are grown by LightGBM on the squared error, each on 0.7 of the rows and each split on 0.7 of
    the features, drawn at random, with an L2 penalty of 10 on the values of leaves, as one may hold a
    single row.  A missing number takes the branch that suits it best; a missing text is a level of
    its own if training saw one.
    """

    task: ClassVar[Task] = Task.REGRESSION

    def objective(self, data: TrainingData) -> Mapping[str, Any]:
        return {"objective": "regression"}

    def scores(
        self, data: TrainingData, answers: list[Expression], working: Working
    ) -> tuple[tuple[Column, Expression], ...]:
        return ((number_column(data.label), answers[0]),)
