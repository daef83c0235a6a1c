"""What the learners of boosted trees share: their parameters, and how they are grown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from modelwright.components.context import Context
from modelwright.components.learning.boosting import NATIVE, boost, tree_inputs
from modelwright.components.learning.contributions import Scale, TreeExplains
from modelwright.components.learning.learner import (
    Fitted,
    Learner,
    TrainerMode,
    TrainingData,
    Working,
)
from modelwright.components.learning.seed import Seed
from modelwright.components.parameters import Range, Shown
from modelwright.data.expression import Expression, native
from modelwright.data.schema import Column

_SINGLE = Shown(create_trainer_mode="SingleParameter")
_RANGES = Shown(create_trainer_mode="ParameterRange")


class BoostedTrees(Learner):
    """A learner of trees grown one after another by LightGBM, each on what the others miss.

    Each tree is grown on 0.7 of the rows, and each split chooses from 0.7 of the features, drawn at
    random.  Values of leaves carry an L2 penalty, since a leaf may hold a single row.
    """

    create_trainer_mode: TrainerMode = "SingleParameter"
    """Fixed values, or ranges of values for Tune Model Hyperparameters."""

    maximum_number_of_leaves_per_tree: Annotated[int, Field(ge=2, le=131_072), _SINGLE] = 20
    """Larger trees fit finer detail, and noise."""

    maximum_number_of_leaves_per_tree_range: Annotated[Range, _RANGES] = Range(
        values=(2, 8, 32, 128)
    )
    """Numbers of leaves to try."""

    minimum_number_of_samples_per_leaf_node: Annotated[int, Field(ge=1), _SINGLE] = 1
    """Rows that a leaf must hold; more give fewer and more general rules."""

    minimum_number_of_samples_per_leaf_node_range: Annotated[Range, _RANGES] = Range(
        values=(1, 10, 50)
    )
    """Fewest rows of a leaf to try."""

    learning_rate: Annotated[float, Field(gt=0, le=1), _SINGLE] = 0.2
    """Share of each tree's correction that is used."""

    learning_rate_range: Annotated[Range, _RANGES] = Range(values=(0.025, 0.05, 0.1, 0.2, 0.4))
    """Learning rates to try."""

    number_of_trees_constructed: Annotated[int, Field(ge=1), _SINGLE] = 100
    """Trees in the ensemble; with several classes, so many for each."""

    number_of_trees_constructed_range: Annotated[Range, _RANGES] = Range(values=(20, 100, 500))
    """Numbers of trees to try."""

    random_number_seed: Seed = 0
    """Draws the rows of each tree and the features of each split."""

    scale: ClassVar[Scale] = "label"

    def objective(self, data: TrainingData) -> Mapping[str, Any]:
        """What is minimised, in LightGBM's terms.  Each learner overrides this."""
        raise NotImplementedError(type(self).__name__)

    def scores(
        self, data: TrainingData, answers: list[Expression], working: Working
    ) -> tuple[tuple[Column, Expression], ...]:
        """The score columns from the ensemble's answers.  Each learner overrides this."""
        raise NotImplementedError(type(self).__name__)

    def fit(self, data: TrainingData, context: Context) -> Fitted:
        """Grow the trees."""
        objective = self.objective(data)
        trees, importance = boost(
            data,
            context,
            objective=objective,
            leaves=self.maximum_number_of_leaves_per_tree,
            fewest_rows=self.minimum_number_of_samples_per_leaf_node,
            rate=self.learning_rate,
            trees=self.number_of_trees_constructed,
            seed=self.random_number_seed,
        )
        inputs = tree_inputs(data.encoded.encoding)
        answers = [
            native(data.native(NATIVE), inputs, at) for at in range(objective.get("num_class", 1))
        ]
        working = data.working()
        return Fitted(
            self.scores(data, answers, working),
            natives={data.native(NATIVE): trees},
            learnt={"importance": importance},
            libraries=("lightgbm",),
            working=working,
            explains=TreeExplains(trees, len(answers), self.scale),
        )
