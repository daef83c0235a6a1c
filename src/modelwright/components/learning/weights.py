"""Weights of linear models: as numbers per term, as a formula, and as a list for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from modelwright.components.learning.design import Design, Term, terms
from modelwright.components.learning.encoding import Encoding, Floats
from modelwright.data.expression import Expression, Scalar, column, dot, lookup


@dataclass(frozen=True)
class LinearWeights:
    """intercept + Σ weight·term over features as they come, missing numbers at their training mean.

    values: (width,), in the order of `design.terms`.
    """

    encoding: Encoding
    values: Floats
    intercept: float

    @classmethod
    def of_scaled(cls, design: Design, weights: Floats, intercept: float) -> LinearWeights:
        """Weights learnt on scaled features, brought back to features as they are."""
        scaling = design.scaling
        values = weights.astype(np.float64, copy=True)
        values[: design.numbers] /= scaling.scale
        intercept -= float(values[: design.numbers] @ scaling.shift)
        return cls(design.data.encoding, values, intercept)

    def stretched(self, slope: float, offset: float) -> LinearWeights:
        """The weights of slope·sum + offset."""
        return LinearWeights(self.encoding, self.values * slope, self.intercept * slope + offset)

    @property
    def terms(self) -> tuple[Term, ...]:
        """What each weight belongs to."""
        return terms(self.encoding)

    def listed(self) -> list[dict[str, Any]]:
        """The weights for people, the intercept first and then the largest first."""
        order = np.argsort(-np.abs(self.values), kind="stable")
        every = self.terms
        out: list[dict[str, Any]] = [{"feature": "Bias", "weight": self.intercept}]
        for index in order:
            term = every[index]
            line: dict[str, Any] = {"feature": term.feature}
            if term.is_level:
                line["level"] = term.level
            out.append({**line, "weight": float(self.values[index])})
        return out

    def expression(self) -> Expression:
        """The weighted sum as an expression over the feature columns; a level costs one lookup."""
        added: list[tuple[Expression, float]] = []
        values = iter(self.values.tolist())
        for number, weight in zip(self.encoding.numbers, values, strict=False):
            if weight:
                added.append((column(number.name).fill_missing(number.mean), weight))
        for category in self.encoding.categories:
            weights = zip(category.levels, values, strict=False)
            entries: dict[Scalar, Scalar] = {level: weight for level, weight in weights if weight}
            if entries:
                added.append((lookup(column(category.name), entries, 0.0), 1.0))
        return dot(added, self.intercept)
