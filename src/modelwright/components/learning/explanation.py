"""How much each feature moves a model's predictions, whatever kind of model it is.

What is recorded of it in a model is described in docs/howto/explain-a-model.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from modelwright.components.learning.contributions import Contributions, Explains
from modelwright.components.learning.encoding import Encoded, Floats
from modelwright.data.expression.table import named
from modelwright.data.fitted import Model
from modelwright.data.schema import ColumnType

ROWS = 100
ORDERS = 16
SHOWN_ROWS = 10
SHOWN_FEATURES = 20


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
    method: str = "sampled orders"
    scale: str = "the scores"

    def summary(self) -> list[dict[str, Any]]:
        """Mean absolute contribution of each feature over rows and scores, largest first."""
        size = np.abs(self.contributions).mean(axis=(0, 2))
        lines = [
            {"feature": name, "mean_contribution": float(value)}
            for name, value in zip(self.features, size, strict=True)
        ]
        return sorted(lines, key=lambda line: (-line["mean_contribution"], line["feature"]))

    def record(self, rows: pl.DataFrame) -> dict[str, Any]:
        """The explanation as JSON: over all rows, and of the first rows one by one.

        rows: those that were explained.  Of many features the smallest of a row are added up.
        """
        sums: list[dict[str, Any]] = []
        parts: list[dict[str, Any]] = []
        for row, values in enumerate(rows.head(SHOWN_ROWS).iter_rows(named=True)):
            for at, score in enumerate(self.scores):
                which = {"row": row, **({"score": score} if len(self.scores) > 1 else {})}
                given = self.contributions[row, :, at]
                average = float(self.averages[at])
                sums.append({**which, "average": average, "sum": average + float(given.sum())})
                order = np.argsort(-np.abs(given), kind="stable")
                for feature in order[:SHOWN_FEATURES]:
                    name = self.features[feature]
                    line = {**which, "feature": name, "value": _plain(values[name])}
                    parts.append({**line, "contribution": float(given[feature])})
                if rest := given[order[SHOWN_FEATURES:]].tolist():
                    line = {**which, "feature": f"{len(rest)} others", "value": None}
                    parts.append({**line, "contribution": float(sum(rest))})
        return {
            "method": self.method,
            "scale": self.scale,
            "rows": len(self.contributions),
            "features": self.summary(),
            "sums": sums,
            "contributions": parts,
        }


def explain_exactly(
    model: Model, explains: Explains, rows: Encoded, background: Encoded
) -> Explanation:
    """The contributions that the model is made of, against the rows of training.

    A score stands for the sum that it comes from, on the scale of `explains`.
    """
    found: Contributions = explains.contributions(rows, background)
    names = tuple(f.name for f in rows.encoding.features)
    places = [names.index(name) for name in model.features.names]
    values = found.values[:, places]
    scores = _explained(model) if len(found.averages) > 1 else _explained(model)[:1]
    return Explanation(
        scores, model.features.names, found.averages, values, explains.method, explains.scale
    )


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


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _explained(model: Model) -> tuple[str, ...]:
    """The probabilities where there are some, and otherwise the numbers that are predicted."""
    numbers = [c for c in model.scores if c.type is ColumnType.DOUBLE and c.score is not None]
    likely = [c.name for c in numbers if c.score and c.score.content == "probability"]
    return tuple(likely or [c.name for c in numbers])
