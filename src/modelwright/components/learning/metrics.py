"""Measures of quality, each from actual and predicted values alone.

Arrays have one entry per row and no missing values.  A measure that is undefined, such as a share
of nothing, is None.
"""

from __future__ import annotations

import math

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modelwright.components.learning.encoding import Floats

Truths = NDArray[np.bool_]
Numbers = NDArray[np.intp]
Metrics = dict[str, float | None]
Row = dict[str, float | int | str | None]

COMBINED = "Combined Evaluation"
"""What a clustering's row of figures of all clusters together is called."""

ALL_ROWS = "All rows"
"""The group of a row of figures that speaks of all groups."""

_LOSSES = (
    "Average Log Loss",
    "Mean_Absolute_Error",
    "Root_Mean_Squared_Error",
    "Relative_Absolute_Error",
    "Relative_Squared_Error",
    "Average Distance to Cluster Center",
    "Maximal Distance to Cluster Center",
)

SMALLEST_PROBABILITY = float(np.finfo(np.float64).eps)


def regression_metrics(actual: Floats, predicted: Floats) -> Metrics:
    """The five measures of a predicted number, in the order of the evaluation table.

    The relative ones compare with always predicting the mean of the actual values; they are None
    when those never change.
    """
    # A score that ran away has an infinite error, which needs no warning beside it.
    with np.errstate(over="ignore"):
        error = predicted - actual
        around = actual - actual.mean()
        size, square = np.abs(error), float(error @ error)
        absolute = _share(float(size.sum()), float(np.abs(around).sum()))
        squared = _share(square, float(around @ around))
        mean = float(size.mean())
    return {
        "Mean_Absolute_Error": mean,
        "Root_Mean_Squared_Error": math.sqrt(square / len(error)),
        "Relative_Squared_Error": squared,
        "Relative_Absolute_Error": absolute,
        "Coefficient_of_Determination": None if squared is None else 1.0 - squared,
    }


def two_class_metrics(positive: Truths, probability: Floats, *, threshold: float) -> Metrics:
    """The seven measures of a two-class model, in the order of the evaluation table.

    positive: whether a row is of the positive class.  probability: of that class.  threshold: a row
    counts as predicted positive from it on.
    """
    predicted = probability >= threshold
    hits = int((positive & predicted).sum())
    alarms = int((~positive & predicted).sum())
    misses = int((positive & ~predicted).sum())
    loss = log_loss(positive, probability)
    return {
        "Accuracy": float((positive == predicted).mean()),
        "Precision": _share(hits, hits + alarms),
        "Recall": _share(hits, hits + misses),
        "F1 Score": _share(2 * hits, 2 * hits + alarms + misses),
        "AUC": area_under_roc(positive, probability),
        "Average Log Loss": loss,
        "Training Log Loss": log_loss_gain(positive, loss),
    }


def multiclass_metrics(actual: Numbers, predicted: Numbers, likelihood: Floats | None) -> Metrics:
    """The measures of a model for several classes, in the order of the evaluation table.

    actual, predicted: class numbers from 0.  likelihood: the probability given to the actual class,
    None where the model gives none.  Micro measures pool the decisions of all classes, macro ones
    are the mean over the classes that occur; a class never predicted has a precision of 0 there.
    """
    classes = int(max(actual.max(), predicted.max())) + 1
    hits = np.bincount(actual[actual == predicted], minlength=classes).astype(np.float64)
    there = np.bincount(actual, minlength=classes)
    said = np.bincount(predicted, minlength=classes)
    occurs = (there + said) > 0
    hits, there, said = hits[occurs], there[occurs], said[occurs]
    precision = np.divide(hits, said, out=np.zeros(len(hits)), where=said > 0)
    recall = np.divide(hits, there, out=np.zeros(len(hits)), where=there > 0)
    accuracy = float((actual == predicted).mean())
    rows = len(actual)
    wrong = (there - hits) + (said - hits)
    loss = None
    if likelihood is not None:
        share = np.clip(likelihood, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
        loss = float(-np.log(share).mean())
    return {
        "Accuracy": accuracy,
        "Average Accuracy": float((1 - wrong / rows).mean()),
        "Micro Precision": float(hits.sum() / said.sum()),
        "Macro Precision": float(precision.mean()),
        "Micro Recall": float(hits.sum() / there.sum()),
        "Macro Recall": float(recall.mean()),
        "Macro F1 Score": float((2 * hits / (there + said)).mean()),
        "Average Log Loss": loss,
    }


def cluster_metrics(cluster: Numbers, distance: Floats) -> list[Row]:
    """How near the rows of each cluster are to its centre and to the others, and the same of all.

    cluster: of each row, from 0.  distance: (rows, clusters) from each centre.  The last row speaks of
    all rows together.
    """
    rows: list[Row] = []
    own = distance[np.arange(len(cluster)), cluster]
    others = distance.shape[1] - 1
    apart = (distance.sum(axis=1) - own) / others if others else None
    for number in [*range(distance.shape[1]), None]:
        mine = np.ones(len(cluster), dtype=bool) if number is None else cluster == number
        points = int(mine.sum())
        rows.append(
            {
                "Result Description": COMBINED
                if number is None
                else f"Evaluation For Cluster No.{number}",
                "Average Distance to Other Center": float(apart[mine].mean())
                if apart is not None and points
                else None,
                "Average Distance to Cluster Center": float(own[mine].mean()) if points else None,
                "Number of Points": points,
                "Maximal Distance to Cluster Center": float(own[mine].max()) if points else None,
            }
        )
    return rows


def smaller_is_better(metric: str) -> bool:
    """Whether a measure of the evaluation table is better when it is smaller."""
    return metric in _LOSSES or "Quantile Loss" in metric


def of_all_clusters(evaluation: pl.DataFrame) -> pl.DataFrame:
    """An evaluation table without the rows of single clusters."""
    if "Result Description" in evaluation.columns:
        return evaluation.filter(pl.col("Result Description") == COMBINED)
    return evaluation


def of_all_rows(evaluation: pl.DataFrame) -> pl.DataFrame:
    """Of an evaluation table the row of each dataset as a whole, without clusters and groups."""
    evaluation = of_all_clusters(evaluation)
    if "Group" in evaluation.columns:
        # They come first; a group may have the name that these have.
        return evaluation.head(evaluation["Dataset"].n_unique())
    return evaluation


def quantile_loss(actual: Floats, predicted: Floats, quantile: float) -> float:
    """Mean pinball loss: an error upwards costs 1 - quantile, one downwards quantile."""
    error = actual - predicted
    return float(np.maximum(quantile * error, (quantile - 1) * error).mean())


def area_under_roc(positive: Truths, score: Floats) -> float | None:
    """Area under the ROC curve, by the rank statistic; ties count one half.

    score: any scale, higher means more positive.  None when the rows are of a single class.
    Source: Hanley & McNeil 1982 (the Wilcoxon form).
    """
    positives = int(positive.sum())
    negatives = len(positive) - positives
    if not positives or not negatives:
        return None
    order = np.argsort(score, kind="stable")
    ordered = score[order]
    first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    last = np.append(first[1:], len(ordered))
    # Rows of equal score share the middle of their ranks, which count from 1.
    ranks = np.repeat((first + last + 1) / 2, last - first)
    total = float(ranks[positive[order]].sum())
    return (total - positives * (positives + 1) / 2) / (positives * negatives)


def log_loss(positive: Truths, probability: Floats) -> float:
    """Mean of -ln of the probability given to the actual class.

    Probabilities are brought into [ε, 1 - ε] with the machine's ε, so that a certain mistake costs
    much and not everything.
    """
    share = np.clip(probability, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    return float(-np.log(np.where(positive, share, 1 - share)).mean())


def log_loss_gain(positive: Truths, loss: float) -> float | None:
    """By how many percent the loss is below that of always giving the share of the positives.

    100 is perfect, 0 as good as that guess, below 0 worse.  None for rows of a single class.
    """
    share = float(positive.mean())
    if share in (0.0, 1.0):
        return None
    guessed = -(share * math.log(share) + (1 - share) * math.log(1 - share))
    return 100 * (guessed - loss) / guessed


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
