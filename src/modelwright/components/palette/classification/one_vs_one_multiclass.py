"""One-vs-One Multiclass: a two-class model for each pair of classes."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from modelwright.components.context import Context
from modelwright.components.learning.learner import CLASSIFICATION, Fitted, TrainingData
from modelwright.components.learning.scores import (
    THRESHOLD,
    class_scores,
    first_largest,
    largest,
)
from modelwright.components.learning.wrappers import Part, TwoClassWrapper
from modelwright.data.expression import Expression, dot, when


class OneVsOneMulticlass(TwoClassWrapper, category=CLASSIFICATION, title="One-vs-One Multiclass"):
    """Makes a learner for several classes of a two-class learner, a model per pair of classes.

    Each model learns from the rows of its two classes alone.  The class with the most votes is scored;
    among classes with as many votes, the one with the largest probability.  The probability of a class
    is its mean over the models of its pairs, as a share of all.
    """

    def fit(self, data: TrainingData, context: Context) -> Fitted:
        count = len(data.classes)
        pairs = list(combinations(range(count), 2))
        votes: list[list[tuple[Expression, float]]] = [[] for _ in range(count)]
        shares: list[list[tuple[Expression, float]]] = [[] for _ in range(count)]
        base = [0.0] * count
        parts, each_likely = self.fit_parts(data, [_part(data, *pair) for pair in pairs], context)
        for (first, second), likely in zip(pairs, each_likely, strict=True):
            wins = when(likely >= THRESHOLD, 1.0, 0.0)
            votes[second].append((wins, 1.0))
            votes[first].append((wins, -1.0))
            shares[second].append((likely, 1.0 / len(pairs)))
            shares[first].append((likely, -1.0 / len(pairs)))
            # What the first class gets is one less what the second gets.
            base[first] += 1.0
        working = parts.working
        each = [dot(s, b / len(pairs)) for s, b in zip(shares, base, strict=True)]
        probabilities = working.columns(each)
        ranks = working.columns(
            [dot([*v, (p, 1.0)], b) for v, b, p in zip(votes, base, probabilities, strict=True)]
        )
        scored = first_largest(data.classes, ranks, largest(ranks, working))
        return Fitted(
            class_scores(data.label, data.classes, probabilities, scored),
            natives=parts.natives,
            learnt={
                "pairs": [
                    {"classes": [data.classes[first], data.classes[second]], **learnt}
                    for (first, second), learnt in zip(pairs, parts.learnt, strict=True)
                ]
            },
            libraries=parts.libraries,
            working=working,
        )


def _part(data: TrainingData, first: int, second: int) -> Part:
    rows = np.flatnonzero((data.target == first) | (data.target == second))
    return Part(f"{first}-{second}", data.target[rows] == second, rows)
