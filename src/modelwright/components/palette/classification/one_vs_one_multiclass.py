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
from modelwright.components.learning.wrappers import TwoClassWrapper
from modelwright.data.expression import Expression, dot, when


class OneVsOneMulticlass(TwoClassWrapper, category=CLASSIFICATION, title="One-vs-One Multiclass"):
    """Makes a learner for several classes of a two-class learner, a model per pair of classes.

    Each model learns from the rows of its two classes alone.  The class with the most votes is scored;
    among classes with as many votes, the one with the largest probability.  The probability of a class
    is its mean over the models of its pairs, as a share of all.
    """

    def fit(self, data: TrainingData, context: Context) -> Fitted:
        parts = self.new_parts(data)
        count = len(data.classes)
        pairs = list(combinations(range(count), 2))
        votes: list[list[tuple[Expression, float]]] = [[] for _ in range(count)]
        shares: list[list[tuple[Expression, float]]] = [[] for _ in range(count)]
        base = [0.0] * count
        for done, (first, second) in enumerate(pairs, 1):
            rows = np.flatnonzero((data.target == first) | (data.target == second))
            positive = data.target[rows] == second
            likely = self.add_part(parts, f"{first}-{second}", data, positive, context, rows)
            wins = when(likely >= THRESHOLD, 1.0, 0.0)
            votes[second].append((wins, 1.0))
            votes[first].append((wins, -1.0))
            shares[second].append((likely, 1.0 / len(pairs)))
            shares[first].append((likely, -1.0 / len(pairs)))
            # What the first class gets is one less what the second gets.
            base[first] += 1.0
            context.progress(done / len(pairs))
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
