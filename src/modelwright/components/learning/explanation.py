"""How much each feature moves a model's predictions, whatever kind of model it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from modelwright.components.learning.encoding import Floats
from modelwright.data.expression.table import named
from modelwright.data.fitted import Model
from modelwright.data.schema import ColumnType

ROWS = 100
ORDERS = 16


@dataclass(frozen=True)
class Explanation:
    """Contributions that add up, per row and score, to its difference from the average score.

    scores: names of the score columns that are explained.  features: in the model's order.
    averages: (scores,) the mean score of the background.  contributions: (rows, features, scores).
    """

    scores: tuple[str, ...]
    features: tuple[str, ...]
    averages: Floats
    contributions: Floats

    def summary(self) -> list[dict[str, Any]]:
        """Mean absolute contribution of each feature over rows and scores, largest first."""
        size = np.abs(self.contributions).mean(axis=(0, 2))
        lines = [
            {"feature": name, "mean_contribution": float(value)}
            for name, value in zip(self.features, size, strict=True)
        ]
        return sorted(lines, key=lambda line: (-line["mean_contribution"], line["feature"]))


def explain(
    model: Model, rows: pl.DataFrame, background: pl.DataFrame, *, orders: int = ORDERS
) -> Explanation:
    """Sampled Shapley values of the rows against the background.

    rows, background: hold the model's feature columns in their types of training.  orders: how many
    random orders of the features are averaged; each pairs a row with another row of the background.
    Source: Štrumbelj & Kononenko 2010; each order adds up exactly.
    """
    features = model.features.names
    scores = _explained(model)
    chance = np.random.default_rng(0)
    width, count = len(features), rows.height
    both = pl.concat([f.select(named(n) for n in features) for f in (rows, background)])
    total = np.zeros((count, width, len(scores)))
    averages = np.zeros(len(scores))
    for _ in range(orders):
        partner = chance.integers(0, background.height, count) + count
        place = chance.permuted(np.tile(np.arange(width), (count, 1)), axis=1)
        # Step s of a row shows the features placed before s as they are, the others as the partner's.
        steps = np.arange(width + 1)[:, None]
        shown = {
            name: both[name].gather(
                np.where(place[:, at] < steps, np.arange(count), partner).ravel()
            )
            for at, name in enumerate(features)
        }
        scored = model.formula.apply(pl.DataFrame(shown), natives=model.natives)
        scored = scored.select(named(n) for n in scores)
        value = scored.to_numpy().reshape(width + 1, count, len(scores))
        change = np.diff(value, axis=0)
        row = np.arange(count)
        for at in range(width):
            total[:, at] += change[place[:, at], row]
        averages += value[0].mean(axis=0)
    return Explanation(scores, features, averages / orders, total / orders)


def sampled(frame: pl.DataFrame, rows: int = ROWS) -> pl.DataFrame:
    """So many rows drawn at random, the same ones each time, or all when there are fewer."""
    return frame if frame.height <= rows else frame.sample(rows, seed=0)


def _explained(model: Model) -> tuple[str, ...]:
    """The probabilities where there are some, and otherwise the numbers that are predicted."""
    numbers = [c for c in model.scores if c.type is ColumnType.DOUBLE and c.score is not None]
    likely = [c.name for c in numbers if c.score and c.score.content == "probability"]
    return tuple(likely or [c.name for c in numbers])
