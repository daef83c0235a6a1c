"""What the learners of decision forests share: their parameters, and how the trees are grown."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from modelwright.components.context import Context
from modelwright.components.learning.encoding import Floats
from modelwright.components.learning.forests import (
    Answers,
    check_range,
    grown,
    importance,
    pack,
    random_questions,
)
from modelwright.components.learning.learner import Learner, TrainerMode, TrainingData
from modelwright.components.parameters import Range, Shown
from modelwright.data.native import Native

_SINGLE = Shown(create_trainer_mode="SingleParameter")
_RANGES = Shown(create_trainer_mode="ParameterRange")
_SEED = 0


class DecisionForest(Learner):
    """A learner of trees that are grown independently, on random questions, and decide together.

    At each node some questions are drawn at random (a threshold of a number, a part of the levels of
    a category) and the best of them is taken.
    """

    resampling_method: Literal["Bagging", "Replicate"] = "Bagging"
    """Each tree sees rows drawn with replacement, or every tree sees all rows."""

    create_trainer_mode: TrainerMode = "SingleParameter"
    """Fixed values, or ranges of values for Tune Model Hyperparameters."""

    number_of_decision_trees: Annotated[int, Field(ge=1), _SINGLE] = 8
    """Trees in the forest; more give steadier answers and take more time."""

    number_of_decision_trees_range: Annotated[Range, _RANGES] = Range(values=(1, 8, 32))
    """Numbers of trees to try."""

    maximum_depth_of_the_decision_trees: Annotated[int, Field(ge=1), _SINGLE] = 32
    """Questions from the root to a leaf, at most."""

    maximum_depth_of_the_decision_trees_range: Annotated[Range, _RANGES] = Range(values=(1, 16, 64))
    """Depths to try."""

    number_of_random_splits_per_node: Annotated[int, Field(ge=1), _SINGLE] = 128
    """Questions drawn at each node; fewer make the trees more different from one another."""

    number_of_random_splits_per_node_range: Annotated[Range, _RANGES] = Range(values=(1, 128, 1024))
    """Numbers of questions to try."""

    minimum_number_of_samples_per_leaf_node: Annotated[int, Field(ge=1), _SINGLE] = 1
    """Rows that a leaf must hold; more give fewer and more general rules."""

    minimum_number_of_samples_per_leaf_node_range: Annotated[Range, _RANGES] = Range(
        values=(1, 4, 16)
    )
    """Fewest rows of a leaf to try."""

    def grow(self, data: TrainingData, context: Context) -> tuple[Native, list[dict[str, Any]]]:
        """The forest and the importance of the features.

        A classifier's forest answers with the share of each class, a regressor's with mean and
        standard deviation.
        """
        from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

        encoding = data.encoded.encoding
        check_range(encoding)
        chance = np.random.default_rng(_SEED)
        splits = self.number_of_random_splits_per_node
        questions, repeats = random_questions(encoding, splits, chance)
        answers = Answers(questions, repeats, data.encoded)
        settings = {
            "n_estimators": self.number_of_decision_trees,
            "max_depth": self.maximum_depth_of_the_decision_trees,
            "max_features": min(splits, answers.width),
            "min_samples_leaf": self.minimum_number_of_samples_per_leaf_node,
            "bootstrap": self.resampling_method == "Bagging",
            "random_state": _SEED,
        }
        if data.classes:
            bare = ExtraTreesClassifier(criterion="entropy", **settings)
        else:
            bare = ExtraTreesRegressor(**settings)
        forest = grown(bare, answers, data.target, context)
        # The matrix has done its work, and the trees of many rows are as large again.
        del answers
        figures = _counts if data.classes else _moments
        notes = {"finish": "shares" if data.classes else "moments"}
        native = pack(forest, questions, encoding, repeats, figures, notes=notes)
        return native, importance(forest, questions, encoding, repeats)


def _counts(number: int, tree: Any, leaf: np.ndarray) -> Floats:
    """How many rows of each class a leaf holds, so that a leaf of many rows has more to say."""
    counts: Floats = tree.value[leaf, 0] * tree.weighted_n_node_samples[leaf, None]
    return counts


def _moments(number: int, tree: Any, leaf: np.ndarray) -> Floats:
    """Mean and mean square of a leaf's rows."""
    mean = tree.value[leaf, 0, 0]
    return np.column_stack([mean, mean**2 + np.maximum(tree.impurity[leaf], 0.0)])
