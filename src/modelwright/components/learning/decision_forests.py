"""What the learners of decision forests share: their parameters, and how the trees are grown."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from modelwright.components.context import Context
from modelwright.components.learning.encoding import Floats
from modelwright.components.learning.forests import (
    Answers,
    Leaves,
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

GROWN_ON = 2.0
"""What the rows that a bagged tree was grown on count for in each of its leaves, in rows."""


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
        figures = partial(_counts, classes=len(data.classes)) if data.classes else _moments
        forest, leaves = grown(bare, answers, data.target, figures, context)
        # The matrix has done its work, and the trees of many rows are as large again.
        del answers
        notes = {"finish": "shares" if data.classes else "moments"}
        native = pack(forest, questions, encoding, repeats, leaves, notes=notes)
        return native, importance(forest, questions, encoding, repeats)


def _counts(leaves: Leaves, target: Floats, *, classes: int) -> Floats:
    """How many rows of each class a leaf tells of, so that one of many rows has more to say.

    Rows that the tree was not grown on count one by one.  The others, of which a leaf was made to say
    what they are, count for `GROWN_ON` rows together, or where all were grown on each for itself.
    """
    shares: Floats = leaves.tree.value[leaves.nodes, 0]
    if not leaves.bagged:
        counts: Floats = shares * leaves.tree.weighted_n_node_samples[leaves.nodes, None]
        return counts
    rows = leaves.held_out()
    cells = leaves.of_rows(rows) * classes + target[rows].astype(np.int64)
    fresh = np.bincount(cells, minlength=shares.size).reshape(shares.shape)
    return fresh + GROWN_ON * shares


def _moments(leaves: Leaves, target: Floats) -> Floats:
    """Mean and mean square of the rows in a leaf, also of those that the tree was not grown on."""
    of_rows, size = leaves.of_rows(), len(leaves.nodes)
    count = np.bincount(of_rows, minlength=size)
    mean = np.bincount(of_rows, target, minlength=size) / count
    spread = np.bincount(of_rows, np.square(target - mean[of_rows]), minlength=size) / count
    return np.column_stack([mean, mean**2 + spread])
