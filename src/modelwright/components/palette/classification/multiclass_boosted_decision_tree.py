"""Multiclass Boosted Decision Tree: trees that correct one another, for several classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from modelwright.components.learning.boosted_trees import BoostedTrees
from modelwright.components.learning.boosting import LEAF_PENALTY_OF_CLASSES
from modelwright.components.learning.contributions import Scale
from modelwright.components.learning.learner import CLASSIFICATION, TrainingData, Working
from modelwright.components.learning.scores import multiclass_scores
from modelwright.components.learning.seed import Seed
from modelwright.components.parameters import Shown
from modelwright.data.expression import Expression
from modelwright.data.schema import Column, Task

_SINGLE = Shown(create_trainer_mode="SingleParameter")


class MulticlassBoostedDecisionTree(BoostedTrees, category=CLASSIFICATION):
    """Predicts one of several classes with trees grown one after another, a tree per class a round.

    Trees are grown by LightGBM on the multinomial logarithmic loss, each round on 0.7 of the rows and
    each split on 0.7 of the features, drawn at random, with an L2 penalty of 3 on the values of
    leaves, as one may hold a single row.  A missing number takes the branch that suits it best; a
    missing text is a level of its own if training saw one.
    """

    task: ClassVar[Task] = Task.MULTICLASS
    scale: ClassVar[Scale] = "score of the class"

    maximum_number_of_leaves_per_tree: Annotated[int, Field(ge=2, le=131_072), _SINGLE] = 31
    """Larger trees fit finer detail, and noise."""

    learning_rate: Annotated[float, Field(gt=0, le=1), _SINGLE] = 0.1
    """Share of each tree's correction that is used."""

    random_number_seed: Seed = 42
    """Draws the rows of each tree and the features of each split."""

    def objective(self, data: TrainingData) -> Mapping[str, Any]:
        return {
            "objective": "multiclass",
            "num_class": len(data.classes),
            "lambda_l2": LEAF_PENALTY_OF_CLASSES,
        }

    def scores(
        self, data: TrainingData, answers: list[Expression], working: Working
    ) -> tuple[tuple[Column, Expression], ...]:
        return multiclass_scores(data.label, data.classes, answers, working)
