"""Score columns: their names, their marks, and the expressions that are the same for every learner."""

from __future__ import annotations

from modelwright.components.learning.learner import Class
from modelwright.data.expression import Expression, when
from modelwright.data.schema import Column, ColumnType, Role, Schema, Score, Task

SCORED_LABELS = "Scored Labels"
SCORED_PROBABILITIES = "Scored Probabilities"

THRESHOLD = 0.5
"""A row is scored as the positive class from this probability on."""


def number_column(label: Column | None, task: Task = Task.REGRESSION) -> Column:
    """The column that holds a predicted number."""
    score = Score(task, "label", label.name if label else None)
    return Column(SCORED_LABELS, ColumnType.DOUBLE, Role.SCORE, score=score)


def class_column(label: Column | None, task: Task) -> Column:
    """The column that holds a predicted class, of the label's own type."""
    kind = label.type if label else ColumnType.INTEGER
    score = Score(task, "label", label.name if label else None)
    categorical = label.categorical if label else False
    return Column(SCORED_LABELS, kind, Role.SCORE, categorical, score)


def probability_column(label: Column | None, task: Task, of: Class | None) -> Column:
    """The column that holds the probability of a class.

    of: for two classes the positive one; for several the one that the column's name ends with.
    """
    name = SCORED_PROBABILITIES
    if task is Task.MULTICLASS:
        name = f"{SCORED_PROBABILITIES}_{_text(of)}"
    score = Score(task, "probability", label.name if label else None, of)
    return Column(name, ColumnType.DOUBLE, Role.SCORE, score=score)


def two_class_scores(
    label: Column | None, classes: tuple[Class, ...], probability: Expression
) -> tuple[tuple[Column, Expression], ...]:
    """Scored Labels and Scored Probabilities from the probability of the positive, last class."""
    negative, positive = classes
    scored = when(probability >= THRESHOLD, positive, negative)
    return (
        (class_column(label, Task.TWO_CLASS), scored),
        (probability_column(label, Task.TWO_CLASS, positive), probability),
    )


def outline_scores(task: Task, label: Column | None) -> Schema:
    """The score columns that a model for that task is sure to add, known before it is trained.

    A model for several classes, quantiles or clusters adds more, which depend on the data.
    """
    if task is Task.REGRESSION:
        return Schema((number_column(label),))
    if task is Task.TWO_CLASS:
        return Schema((class_column(label, task), probability_column(label, task, None)))
    if task is Task.MULTICLASS:
        return Schema((class_column(label, task),))
    return Schema()


def _text(value: Class | None) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
