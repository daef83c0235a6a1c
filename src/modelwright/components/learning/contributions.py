"""Exact contributions of the features to a score, for the kinds of models that allow it.

They are on the scale on which such a model adds up: the label itself, or the logarithm that its
probabilities come from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from modelwright.components.learning.encoding import Encoded, Floats
from modelwright.components.learning.weights import LinearWeights
from modelwright.data.native import Native

Scale = Literal["label", "log-odds", "log of the label", "score of the class", "probability"]


@dataclass(frozen=True)
class Contributions:
    """What each feature adds to a row's sum.

    sums: (rows, outputs) of the model.  averages: (outputs,) what a row without features would get.
    values: (rows, features, outputs), features in the order of the table; averages and values add up to the sums.
    """

    averages: Floats
    sums: Floats
    values: Floats


class Explains(Protocol):
    """Knows how the sums of a model come about."""

    @property
    def method(self) -> str:
        """What the contributions are read from, in a word or two."""

    @property
    def scale(self) -> Scale:
        """What the sums are."""

    def contributions(self, rows: Encoded, background: Encoded) -> Contributions:
        """Of these rows; background: the rows of training, which the average is over."""


@dataclass(frozen=True)
class LinearExplains:
    """Weights, one set for each output: a feature adds its weighted distance from the average row.

    This is the Shapley value of a linear model whose features are taken one by one.
    """

    weights: tuple[LinearWeights, ...]
    scale: Scale = "label"
    method: str = "weights"

    def contributions(self, rows: Encoded, background: Encoded) -> Contributions:
        """Of these rows, against the mean over the background."""
        encoding = self.weights[0].encoding
        places = {f.name: at for at, f in enumerate(encoding.features)}
        shape = rows.rows, len(places), len(self.weights)
        values, averages = np.zeros(shape), np.zeros(shape[2])
        means = np.array([n.mean for n in encoding.numbers])
        block = rows.block(0, rows.rows)
        away = np.where(np.isnan(block), 0.0, block - means)
        for output, weights in enumerate(self.weights):
            numbers = weights.values[: len(means)]
            averages[output] = weights.intercept + float(numbers @ means)
            for at, number in enumerate(encoding.numbers):
                values[:, places[number.name], output] = away[:, at] * numbers[at]
            start = len(means)
            for at, category in enumerate(encoding.categories):
                size = len(category.levels)
                # The last place stands for no level, which weighs nothing.
                of_level = np.append(weights.values[start : start + size], 0.0)
                mean = float(of_level[background.codes[at]].mean())
                averages[output] += mean
                values[:, places[category.name], output] = of_level[rows.codes[at]] - mean
                start += size
        return Contributions(averages, averages + values.sum(axis=1), values)


@dataclass(frozen=True)
class TreeExplains:
    """Boosted trees: Shapley values by the paths through the trees.

    Source: Lundberg, Erion & Lee 2018, as LightGBM has it (`pred_contrib`).
    """

    trees: Native
    outputs: int
    scale: Scale = "label"
    method: str = "trees"

    def contributions(self, rows: Encoded, background: Encoded) -> Contributions:
        """Of these rows; the trees hold how many rows of training took each path."""
        import lightgbm

        from modelwright.components.learning.boosting import tree_matrix

        encoding = rows.encoding
        order = [f.name for f in encoding.numbers] + [f.name for f in encoding.categories]
        booster = lightgbm.Booster(model_str=self.trees.content.decode())
        raw = booster.predict(tree_matrix(rows), pred_contrib=True, num_threads=1)
        told = np.asarray(raw).reshape(rows.rows, self.outputs, len(order) + 1).transpose(0, 2, 1)
        places = [order.index(f.name) for f in encoding.features]
        return Contributions(told[0, -1], told.sum(axis=1), told[:, places])
