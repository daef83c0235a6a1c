"""Fast Forest Quantile Regression: quantiles of what the trees of a forest hold."""

from __future__ import annotations

from functools import partial
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field, field_validator

from modelwright.components.context import Context
from modelwright.components.learning.boosting import tree_inputs
from modelwright.components.learning.encoding import Floats
from modelwright.components.learning.forests import (
    NATIVE,
    Answers,
    Leaves,
    check_range,
    grown,
    importance,
    ordered_questions,
    pack,
)
from modelwright.components.learning.learner import (
    REGRESSION,
    Fitted,
    Learner,
    TrainerMode,
    TrainingData,
)
from modelwright.components.learning.scores import quantile_column
from modelwright.components.learning.seed import Seed
from modelwright.components.parameters import Range, Shown
from modelwright.data.expression import native
from modelwright.data.schema import Schema, Task

_SINGLE = Shown(create_trainer_mode="SingleParameter")
_RANGES = Shown(create_trainer_mode="ParameterRange")

GRID = 256
"""A leaf keeps its distribution at so many points of the label, at most."""


class FastForestQuantileRegression(Learner, category=REGRESSION):
    """Predicts quantiles of a number instead of one value, such as the range it will likely be in.

    Each tree is grown on rows drawn with replacement; its leaves keep how the labels of the training
    rows in them are distributed.  For a row the distributions of its leaves are averaged over all
    trees, and the quantiles of that are the answer.  A label of more than 256 different values is kept
    at 256 points, with straight lines between them.
    """

    task: ClassVar[Task] = Task.QUANTILE_REGRESSION

    create_trainer_mode: TrainerMode = "SingleParameter"
    """Fixed values, or ranges of values for Tune Model Hyperparameters."""

    number_of_trees: Annotated[int, Field(ge=1, title="Number of Trees"), _SINGLE] = 100
    """Trees in the forest; more give steadier quantiles and take more time."""

    number_of_trees_range: Annotated[Range, Field(title="Number of Trees range"), _RANGES] = Range(
        values=(16, 32, 64)
    )
    """Numbers of trees to try."""

    number_of_leaves: Annotated[int, Field(ge=2, title="Number of Leaves"), _SINGLE] = 20
    """Leaves of a tree, at most."""

    number_of_leaves_range: Annotated[Range, Field(title="Number of Leaves range"), _RANGES] = (
        Range(values=(16, 32, 64))
    )
    """Numbers of leaves to try."""

    minimum_number_of_training_instances_required_to_form_a_leaf: Annotated[
        int, Field(ge=1), _SINGLE
    ] = 1
    """Rows that a leaf must hold."""

    minimum_number_of_training_instances_required_to_form_a_leaf_range: Annotated[
        Range, _RANGES
    ] = Range(values=(1, 5, 10))
    """Fewest rows of a leaf to try."""

    bagging_fraction: Annotated[float, Field(gt=0, le=1)] = 0.7
    """Share of the rows that each tree draws, with replacement."""

    split_fraction: Annotated[float, Field(gt=0, le=1)] = 0.7
    """Share of the features, drawn at random, that each split considers."""

    quantiles_to_be_estimated: str = "0.25;0.5;0.75"
    """Numbers between 0 and 1, separated by semicolons; each gives a score column."""

    random_number_seed: Seed = 0
    """Draws the rows of each tree and the features of each split."""

    @field_validator("quantiles_to_be_estimated")
    @classmethod
    def _are_quantiles(cls, value: str) -> str:
        parsed = _quantiles(value)
        if not parsed:
            raise ValueError("at least one quantile is needed")
        if len(set(parsed)) < len(parsed):
            raise ValueError("a quantile stands there twice")
        if not all(0 < q < 1 for q in parsed):
            raise ValueError("each quantile must lie between 0 and 1")
        return value

    def further_scores(self) -> Schema:
        quantiles = _quantiles(self.quantiles_to_be_estimated)
        return Schema(tuple(quantile_column(None, q) for q in quantiles))

    def fit(self, data: TrainingData, context: Context) -> Fitted:
        from sklearn.ensemble import RandomForestRegressor

        encoding = data.encoded.encoding
        check_range(encoding)
        questions = ordered_questions(data.encoded, data.target)
        answers = Answers(questions, 1, data.encoded)
        fewest = self.minimum_number_of_training_instances_required_to_form_a_leaf
        bare = RandomForestRegressor(
            n_estimators=self.number_of_trees,
            max_leaf_nodes=self.number_of_leaves,
            min_samples_leaf=fewest,
            max_samples=self.bagging_fraction,
            max_features=self.split_fraction,
            random_state=self.random_number_seed,
        )
        grid = _grid(data.target)
        forest, leaves = grown(bare, answers, data.target, partial(_below, grid=grid), context)
        quantiles = _quantiles(self.quantiles_to_be_estimated)
        exact = len(np.unique(data.target)) <= GRID
        notes = {"finish": "quantiles", "quantiles": list(quantiles), "line": not exact}
        kept = pack(forest, questions, encoding, 1, leaves, notes=notes, grid=grid)
        inputs = tree_inputs(encoding)
        return Fitted(
            tuple(
                (quantile_column(data.label, quantile), native(data.native(NATIVE), inputs, at))
                for at, quantile in enumerate(quantiles)
            ),
            natives={data.native(NATIVE): kept},
            learnt={"importance": importance(forest, questions, encoding, 1)},
            libraries=("scikit-learn",),
        )


def _below(leaves: Leaves, target: Floats, *, grid: Floats) -> Floats:
    """The share of a leaf's rows that lie at most at each point of the grid."""
    held = leaves.of_rows() * len(grid) + np.searchsorted(grid, target, side="left")
    counts = np.bincount(held, minlength=len(leaves.nodes) * len(grid))
    rising = counts.reshape(len(leaves.nodes), len(grid)).cumsum(axis=1)
    shares: Floats = rising / np.maximum(rising[:, -1:], 1)
    return shares


def _quantiles(text: str) -> tuple[float, ...]:
    """The quantiles in rising order."""
    parts = [part.strip() for part in text.split(";")]
    return tuple(sorted(float(part) for part in parts if part))


def _grid(target: Floats) -> Floats:
    """Points that part the label's values: all of them, or as many shares of equal size."""
    values = np.unique(target)
    if len(values) <= GRID:
        return values
    points: Floats = np.unique(np.quantile(target, np.linspace(0, 1, GRID)))
    return points
