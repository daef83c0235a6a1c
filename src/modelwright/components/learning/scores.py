"""Score columns: their names, their marks, and the expressions that are the same for every learner."""

from __future__ import annotations

from collections.abc import Sequence

from modelwright.components.learning.learner import Class, Working
from modelwright.data.expression import Expression, any_of, call, dot, literal, when
from modelwright.data.schema import Column, ColumnType, Role, Schema, Score, Task

SCORED_LABELS = "Scored Labels"
SCORED_PROBABILITIES = "Scored Probabilities"
ASSIGNMENTS = "Assignments"
DISTANCES = "DistancesToClusterCenter"
SCORED_QUANTILE = "Scored Quantile"
SCORED_DEVIATION = "Scored Label Standard Deviation"

NORMAL = 1
"""The label of a row that is no anomaly."""

THRESHOLD = 0.5
"""A row is scored as the positive class from this probability on."""


def number_column(label: Column | None, task: Task = Task.REGRESSION) -> Column:
    """The column that holds a predicted number."""
    score = Score(task, "label", label.name if label else None)
    return Column(SCORED_LABELS, ColumnType.DOUBLE, Role.SCORE, score=score)


def quantile_column(label: Column | None, quantile: float) -> Column:
    """The column that holds a predicted quantile."""
    score = Score(
        Task.QUANTILE_REGRESSION, "quantile", label.name if label else None, float(quantile)
    )
    name = f"{SCORED_QUANTILE} {quantile:g}"
    return Column(name, ColumnType.DOUBLE, Role.SCORE, score=score)


def deviation_column(label: Column | None) -> Column:
    """The column that says how far a predicted number may be off."""
    score = Score(Task.REGRESSION, "deviation", label.name if label else None)
    return Column(SCORED_DEVIATION, ColumnType.DOUBLE, Role.SCORE, score=score)


def assignment_column() -> Column:
    """The column that holds the number of the nearest cluster, from 0."""
    score = Score(Task.CLUSTERING, "assignment")
    return Column(ASSIGNMENTS, ColumnType.INTEGER, Role.SCORE, categorical=True, score=score)


def distance_column(cluster: int) -> Column:
    """The column that holds the distance from the centre of a cluster."""
    score = Score(Task.CLUSTERING, "distance", of=cluster)
    return Column(f"{DISTANCES} no.{cluster}", ColumnType.DOUBLE, Role.SCORE, score=score)


def overwritten_column(label: Column) -> Column:
    """The label column, holding the label of the nearest cluster."""
    score = Score(Task.CLUSTERING, "label", label.name)
    return Column(label.name, label.type, Role.LABEL, label.categorical, score)


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
    """Scored Labels and Scored Probabilities from the probability of the positive, last class.

    Without a probability there is no label either.
    """
    negative, positive = classes
    below = when(probability < THRESHOLD, negative, literal(None))
    scored = when(probability >= THRESHOLD, positive, below)
    return (
        (class_column(label, Task.TWO_CLASS), scored),
        (probability_column(label, Task.TWO_CLASS, positive), probability),
    )


def normal_scores(probability: Expression) -> tuple[tuple[Column, Expression], ...]:
    """Scored Labels, 1 for normal and 0 for not, and Scored Probabilities of being normal."""
    scored = when(probability >= THRESHOLD, 1, 0)
    labels, likely = outline_scores(Task.ANOMALY, None)
    return ((labels, scored), (likely, probability))


def multiclass_scores(
    label: Column | None,
    classes: tuple[Class, ...],
    probabilities: Sequence[Expression],
    working: Working,
) -> tuple[tuple[Column, Expression], ...]:
    """Scored Labels and a column of probabilities per class; of equally likely classes the first.

    The probabilities must be cheap to refer to more than once: columns, or outputs of a native.
    """
    highest = largest(probabilities, working)
    return class_scores(
        label, classes, probabilities, first_largest(classes, probabilities, highest)
    )


def softmax_scores(
    label: Column | None,
    classes: tuple[Class, ...],
    sums: Sequence[Expression],
    working: Working,
) -> tuple[tuple[Column, Expression], ...]:
    """As `multiclass_scores`, for probabilities that grow with the exponential of a sum per class."""
    sums = working.columns(sums)
    highest = largest(sums, working)
    powers = working.columns([call("exp", s - highest) for s in sums])
    total = working.column(dot([(power, 1.0) for power in powers]))
    probabilities = [power / total for power in powers]
    return class_scores(label, classes, probabilities, first_largest(classes, sums, highest))


def largest(values: Sequence[Expression], working: Working) -> Expression:
    """The largest of the values."""
    left = list(values)
    while len(left) > 1:
        # As columns, since the expression of one maximum holds its arguments several times.
        pairs = zip(left[::2], left[1::2], strict=False)
        winners = working.columns([call("maximum", a, b) for a, b in pairs])
        left = winners + left[len(winners) * 2 :]
    return left[0]


def first_largest(
    classes: Sequence[Class], values: Sequence[Expression], highest: Expression
) -> Expression:
    """The first class whose value is the highest; halved again and again, so that it stays shallow."""
    if len(classes) == 1:
        return literal(classes[0])
    half = len(classes) // 2
    left = any_of(value >= highest for value in values[:half])
    return when(
        left,
        first_largest(classes[:half], values[:half], highest),
        first_largest(classes[half:], values[half:], highest),
    )


def class_scores(
    label: Column | None,
    classes: tuple[Class, ...],
    probabilities: Sequence[Expression],
    scored: Expression,
) -> tuple[tuple[Column, Expression], ...]:
    """Scored Labels as given, and a column of probabilities per class."""
    columns = [probability_column(label, Task.MULTICLASS, c) for c in classes]
    return (
        (class_column(label, Task.MULTICLASS), scored),
        *zip(columns, probabilities, strict=True),
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
    if task is Task.ANOMALY:
        return Schema((class_column(None, task), probability_column(None, task, NORMAL)))
    return Schema()


def _text(value: Class | None) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
