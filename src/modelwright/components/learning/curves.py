"""Curves and tables behind the plots of an evaluation, as JSON, from a scored table.

Nothing here is stored: whoever draws asks with the inputs of Evaluate Model.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelwright.components.learning.encoding import Floats
from modelwright.components.learning.evaluation import (
    ClassScores,
    ClusterScores,
    NumberScores,
    QuantileScores,
    TwoClassScores,
    read_scores,
)
from modelwright.data.table import Table

POINTS = 500
"""A curve is thinned to so many points, evenly along its length in rows."""

BINS = 30


def evaluation_plots(table: Table, *, port: str = "scored dataset") -> dict[str, Any]:
    """Everything that can be drawn of scored rows.  Raises as `read_scores` does."""
    scores = read_scores(table, port=port)
    if isinstance(scores, TwoClassScores):
        return {
            "task": "two-class",
            "positive": scores.positive_class,
            "negative": scores.negative_class,
            "roc": roc(scores),
            "precision_recall": precision_recall(scores),
            "lift": lift(scores),
            "thresholds": by_threshold(scores),
        }
    if isinstance(scores, ClassScores):
        return {"task": "multiclass", "confusion": confusion(scores), "classes": by_class(scores)}
    if isinstance(scores, ClusterScores):
        return {"task": "clustering", "clusters": scores.rows()}
    if isinstance(scores, QuantileScores):
        return {"task": "quantile-regression", "coverage": coverage(scores)}
    return {
        "task": "regression",
        "residuals": residual_histogram(scores),
        "predicted_actual": predicted_against_actual(scores),
    }


def roc(scores: TwoClassScores) -> dict[str, list[float]]:
    """False and true positive rate as the threshold falls to the lowest score.

    A rate of nothing is 0.  The first point, where no row counts as positive, is at threshold 2,
    above every probability.
    """
    thresholds, hits, alarms = _cumulative(scores)
    true_rate = hits / max(hits[-1], 1)
    false_rate = alarms / max(alarms[-1], 1)
    kept = _thinned(len(hits))
    return {
        "false_positive_rate": [0.0, *false_rate[kept].tolist()],
        "true_positive_rate": [0.0, *true_rate[kept].tolist()],
        "threshold": [2.0, *thresholds[kept].tolist()],
    }


def precision_recall(scores: TwoClassScores) -> dict[str, list[float]]:
    """Precision and recall as the threshold falls from the highest score to the lowest."""
    thresholds, hits, alarms = _cumulative(scores)
    kept = _thinned(len(hits))
    return {
        "recall": (hits / max(hits[-1], 1))[kept].tolist(),
        "precision": (hits / (hits + alarms))[kept].tolist(),
        "threshold": thresholds[kept].tolist(),
    }


def lift(scores: TwoClassScores) -> dict[str, list[float]]:
    """Share of the positives found among a growing share of the rows, best scores first.

    lift: how many times more than among as many rows drawn by chance.
    """
    _, hits, alarms = _cumulative(scores)
    share = (hits + alarms) / (hits[-1] + alarms[-1])
    found = hits / max(hits[-1], 1)
    kept = _thinned(len(hits))
    return {
        "share_of_rows": share[kept].tolist(),
        "share_of_positives": found[kept].tolist(),
        "lift": (found / share)[kept].tolist(),
    }


def by_threshold(scores: TwoClassScores, steps: int = 100) -> list[dict[str, float | None]]:
    """The confusion matrix and what follows from it, for thresholds from 0 to 1."""
    table = []
    thresholds = np.arange(steps + 1) / steps
    # Counts of rows at or above each threshold, from scores sorted once.
    above = _at_or_above(scores.probability[scores.positive], thresholds)
    wrong = _at_or_above(scores.probability[~scores.positive], thresholds)
    positives = int(scores.positive.sum())
    negatives = len(scores.positive) - positives
    for threshold, tp, fp in zip(thresholds.tolist(), above, wrong, strict=True):
        fn, tn = positives - tp, negatives - fp
        table.append(
            {
                "threshold": threshold,
                "true_positives": tp,
                "false_positives": fp,
                "true_negatives": tn,
                "false_negatives": fn,
                "accuracy": (tp + tn) / (positives + negatives),
                "precision": tp / (tp + fp) if tp + fp else None,
                "recall": tp / positives if positives else None,
                "f1_score": 2 * tp / (2 * tp + fp + fn) if 2 * tp + fp + fn else None,
            }
        )
    return table


def confusion(scores: ClassScores) -> dict[str, list[Any]]:
    """How often each class was scored as each other: a row per actual class."""
    count = len(scores.classes)
    pairs = scores.actual * count + scores.predicted
    matrix = np.bincount(pairs, minlength=count * count).reshape(count, count)
    return {"classes": list(scores.classes), "counts": matrix.tolist()}


def by_class(scores: ClassScores) -> list[dict[str, Any]]:
    """Rows, precision, recall and F1 of each class against all others."""
    table = []
    for number, name in enumerate(scores.classes):
        there, said = scores.actual == number, scores.predicted == number
        hits, actual, predicted = (int(x.sum()) for x in (there & said, there, said))
        table.append(
            {
                "class": name,
                "rows": actual,
                "precision": hits / predicted if predicted else None,
                "recall": hits / actual if actual else None,
                "f1_score": 2 * hits / (actual + predicted),
            }
        )
    return table


def coverage(scores: QuantileScores) -> list[dict[str, float]]:
    """Per quantile the share of rows at or below what was predicted; it should be the quantile."""
    return [
        {"quantile": quantile, "share_below": float((scores.actual <= values).mean())}
        for quantile, values in scores.predicted.items()
    ]


def residual_histogram(scores: NumberScores) -> dict[str, list[float]]:
    """How often each size of error (predicted minus actual) occurs; one edge more than counts."""
    error = scores.predicted - scores.actual
    finite = error[np.isfinite(error)]
    counts, edges = np.histogram(finite, bins=BINS)
    return {"edges": edges.tolist(), "counts": counts.tolist()}


def predicted_against_actual(scores: NumberScores) -> dict[str, list[float]]:
    """Pairs of actual and predicted numbers, evenly thinned in the order of the rows."""
    kept = _thinned(len(scores.actual))
    return {
        "actual": scores.actual[kept].tolist(),
        "predicted": scores.predicted[kept].tolist(),
    }


def _cumulative(scores: TwoClassScores) -> tuple[Floats, Floats, Floats]:
    """Distinct scores, highest first, and the positives and negatives from each on upwards."""
    order = np.argsort(-scores.probability, kind="stable")
    ordered, positive = scores.probability[order], scores.positive[order]
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    hits = np.cumsum(positive)[last].astype(np.float64)
    return ordered[last], hits, last + 1 - hits


def _at_or_above(values: Floats, thresholds: Floats) -> list[int]:
    ordered = np.sort(values)
    return [int(n) for n in len(ordered) - np.searchsorted(ordered, thresholds, side="left")]


def _thinned(length: int) -> NDArray[np.intp]:
    if length <= POINTS:
        return np.arange(length)
    return np.unique(np.linspace(0, length - 1, POINTS).round().astype(np.intp))
