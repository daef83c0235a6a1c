"""Reading scored data: which columns are scores, of which task, and what the truth was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
import polars.selectors as cs

from modelwright.components.errors import EmptyTable
from modelwright.components.learning.encoding import Floats, check_size
from modelwright.components.learning.errors import (
    LabelAllMissing,
    LabelNotComparable,
    NoLabelColumn,
    NoScoreColumns,
    ScoresAllMissing,
    SeveralLabelColumns,
)
from modelwright.components.learning.metrics import (
    Metrics,
    Numbers,
    Row,
    Truths,
    cluster_metrics,
    multiclass_metrics,
    quantile_loss,
    regression_metrics,
    two_class_metrics,
)
from modelwright.components.learning.scores import (
    ASSIGNMENTS,
    SCORED_LABELS,
    SCORED_PROBABILITIES,
    THRESHOLD,
    distance_column,
)
from modelwright.data.expression.table import named
from modelwright.data.schema import Column, ColumnType, Schema, Task
from modelwright.data.table import Table

_QUANTILE_LOSS = "Quantile Loss"
_ONE_CLUSTER = cluster_metrics(np.zeros(1, dtype=np.intp), np.zeros((1, 1)))[0]

TITLES = {
    Task.REGRESSION: "regression",
    Task.QUANTILE_REGRESSION: "quantile regression",
    Task.TWO_CLASS: "two-class classification",
    Task.MULTICLASS: "multiclass classification",
    Task.CLUSTERING: "clustering",
    Task.ANOMALY: "anomaly detection",
}


_NOTHING = Schema()


@dataclass(frozen=True)
class NumberScores:
    """Actual and predicted numbers of the rows that have both."""

    actual: Floats
    predicted: Floats

    def metrics(self) -> Metrics:
        """The measures of the evaluation table."""
        return regression_metrics(self.actual, self.predicted)


@dataclass(frozen=True)
class TwoClassScores:
    """Which rows are positive, and the probability that they are, of the rows that have both."""

    positive: Truths
    probability: Floats
    positive_class: object
    negative_class: object

    def metrics(self) -> Metrics:
        """The measures of the evaluation table, at the threshold that scoring uses."""
        return two_class_metrics(self.positive, self.probability, threshold=THRESHOLD)


@dataclass(frozen=True)
class ClassScores:
    """Actual and predicted classes by number, of the rows that have both.

    classes: every value that occurs as either, sorted.  likelihood: the probability given to the
    actual class, 0 where it has no column; None where there are no probabilities at all.
    """

    actual: Numbers
    predicted: Numbers
    classes: tuple[object, ...]
    likelihood: Floats | None

    def metrics(self) -> Metrics:
        """The measures of the evaluation table."""
        return multiclass_metrics(self.actual, self.predicted, self.likelihood)


@dataclass(frozen=True)
class QuantileScores:
    """Actual numbers, and per quantile the predicted ones, of the rows that have all."""

    actual: Floats
    predicted: dict[float, Floats]

    def metrics(self) -> Metrics:
        """The loss at each quantile, and their mean."""
        losses: Metrics = {
            f"{_QUANTILE_LOSS} {quantile:g}": quantile_loss(self.actual, values, quantile)
            for quantile, values in self.predicted.items()
        }
        mean = sum(loss for loss in losses.values() if loss is not None) / len(losses)
        return {**losses, f"Average {_QUANTILE_LOSS}": mean}


@dataclass(frozen=True)
class ClusterScores:
    """The cluster of each row, and (rows, clusters) its distance from the centre of each."""

    cluster: Numbers
    distance: Floats

    def metrics(self) -> Metrics:
        """The measures of all clusters together."""
        combined = self.rows()[-1]
        return {n: float(v) for n, v in combined.items() if isinstance(v, (int, float))}

    def rows(self) -> list[Row]:
        """A row of the evaluation table per cluster, and one for all of them."""
        return cluster_metrics(self.cluster, self.distance)


Scores = NumberScores | TwoClassScores | ClassScores | QuantileScores | ClusterScores


def evaluation_rows(scores: Scores) -> list[Row]:
    """The rows of the evaluation table: one, or for clusters several."""
    if isinstance(scores, ClusterScores):
        return scores.rows()
    return [{**scores.metrics()}]


def scored_task(schema: Schema, *, port: str) -> Task:
    """The task of the model that scored last.  Raises NoScoreColumns."""
    scores = [c.score for c in schema if c.score]
    if not scores:
        raise NoScoreColumns(port)
    return scores[-1].task


def actual_label(schema: Schema, task: Task, *, port: str) -> Column:
    """The column with the truth: the one the model was trained to predict, else the marked one.

    Raises NoLabelColumn and SeveralLabelColumns.
    """
    for column in schema:
        score = column.score
        if score and score.task is task and score.label is not None and score.label in schema:
            return schema.column(score.label)
    if not schema.labels:
        raise NoLabelColumn(port, chosen=False)
    if len(schema.labels) > 1:
        raise SeveralLabelColumns(port, (c.name for c in schema.labels), chosen=False)
    return schema.labels[0]


def read_scores(table: Table, *, port: str, log: Callable[[str], None] | None = None) -> Scores:
    """Truth and scores of a scored table, without the rows where one of them is missing.

    Raises NoScoreColumns, NoLabelColumn, SeveralLabelColumns, EmptyTable, LabelAllMissing,
    ScoresAllMissing, LabelNotComparable, and InfiniteValues for a number that is the truth.
    """
    task = scored_task(table.schema, port=port)
    if table.rows == 0:
        raise EmptyTable(port)
    if task is Task.CLUSTERING:
        return _cluster_scores(table, port)
    label = actual_label(table.schema, task, port=port)
    if task is Task.QUANTILE_REGRESSION:
        return _quantile_scores(table, label, port, log)
    scored = _score_column(table.schema, task, "label", SCORED_LABELS, port)
    check_comparable(label, scored, port=port)
    if task is Task.REGRESSION:
        frame = _complete(table, label, scored, port, log)
        actual, predicted = (_floats(s) for s in frame.get_columns())
        check_size(frame[label.name], port=port)
        return NumberScores(actual, predicted)
    if task is Task.MULTICLASS:
        return _class_scores(table, label, scored, port, log)
    if task not in (Task.TWO_CLASS, Task.ANOMALY):
        raise NoScoreColumns(port, f"of a task that can be evaluated: not {TITLES[task]}")
    probability = _score_column(table.schema, task, "probability", SCORED_PROBABILITIES, port)
    positive = probability.score.of if probability.score else None
    negative = _other_class(table.frame, label, scored, positive, port)
    frame = _complete(table, label, probability, port, log)
    return TwoClassScores(
        (frame[label.name] == positive).to_numpy(),
        _floats(frame[probability.name]),
        positive,
        negative,
    )


def check_comparable(label: Column, scored: Column, *, port: str) -> None:
    """Raises LabelNotComparable when truth and scored labels are of types that never match."""
    numbers = label.type.is_numeric and scored.type.is_numeric
    if not numbers and label.type is not scored.type:
        why = f"it is {label.type.value}, the scored labels are {scored.type.value}"
        raise LabelNotComparable(label.name, port, why)


def _score_column(schema: Schema, task: Task, content: str, name: str, port: str) -> Column:
    for column in reversed(schema.columns):
        if column.score and column.score.task is task and column.score.content == content:
            return column
    raise NoScoreColumns(port, f'"{name}"')


def _other_class(
    frame: pl.DataFrame, label: Column, scored: Column, positive: object, port: str
) -> object:
    """The class that is not the positive one.  Raises LabelNotComparable for a third one."""
    others: set[object] = set()
    for name in (scored.name, label.name):
        values = frame[name]
        if values.dtype.is_float():
            values = values.fill_nan(None)
        others |= set(values.drop_nulls().unique().head(4).to_list()) - {positive}
    if len(others) > 1:
        known = ", ".join(repr(v) for v in sorted(others, key=str)[:3])
        why = f"besides the positive class {positive!r} there is more than one other: {known}"
        raise LabelNotComparable(label.name, port, why)
    return next(iter(others), None)


def _cluster_scores(table: Table, port: str) -> ClusterScores:
    cluster = _score_column(table.schema, Task.CLUSTERING, "assignment", ASSIGNMENTS, port)
    columns = {
        c.score.of: c.name
        for c in table.schema
        if c.score and c.score.task is Task.CLUSTERING and c.score.content == "distance"
    }
    numbers = table.frame[cluster.name]
    count = max([len(columns), *((n or 0) + 1 for n in numbers.unique().to_list())])
    for missing in (k for k in range(count) if k not in columns):
        raise NoScoreColumns(port, f'"{distance_column(missing).name}"')
    names = [cluster.name, *(columns[k] for k in range(count))]
    frame = table.frame.select(named(n) for n in names).drop_nulls()
    if not frame.height:
        raise ScoresAllMissing(cluster.name, port)
    distances = frame.drop(cluster.name).to_numpy().astype(np.float64, copy=False)
    return ClusterScores(frame[cluster.name].to_numpy().astype(np.intp), distances)


def _quantile_scores(
    table: Table, label: Column, port: str, log: Callable[[str], None] | None
) -> QuantileScores:
    columns = _quantile_columns(table.schema)
    names = list(columns.values())
    for name in names:
        check_comparable(label, table.schema.column(name), port=port)
    frame = _complete(table, label, table.schema.column(names[0]), port, log, *names[1:])
    predicted = {quantile: _floats(frame[name]) for quantile, name in columns.items()}
    check_size(frame[label.name], port=port)
    return QuantileScores(_floats(frame[label.name]), predicted)


def _quantile_columns(schema: Schema) -> dict[float, str]:
    """Score columns by the quantile they hold, the lowest first."""
    found = {
        float(c.score.of): c.name
        for c in schema
        if c.score
        and c.score.task is Task.QUANTILE_REGRESSION
        and isinstance(c.score.of, (int, float))
    }
    return dict(sorted(found.items()))


def _class_scores(
    table: Table, label: Column, scored: Column, port: str, log: Callable[[str], None] | None
) -> ClassScores:
    probabilities = {
        c.score.of: c.name
        for c in table.schema
        if c.score and c.score.task is Task.MULTICLASS and c.score.content == "probability"
    }
    frame = _complete(table, label, scored, port, log, *probabilities.values())
    actual, predicted = frame[label.name], frame[scored.name].cast(frame[label.name].dtype)
    classes = pl.concat([actual.unique(), predicted.unique()]).unique().sort()
    numbers = [
        values.replace_strict(classes, range(len(classes)), return_dtype=pl.Int64)
        .to_numpy()
        .astype(np.intp, copy=False)
        for values in (actual, predicted)
    ]
    likelihood = None
    if probabilities:
        likelihood = np.zeros(frame.height)
        for value, name in probabilities.items():
            mine = (actual == value).to_numpy()
            likelihood[mine] = frame[name].to_numpy()[mine]
    return ClassScores(numbers[0], numbers[1], tuple(classes.to_list()), likelihood)


def _complete(
    table: Table,
    label: Column,
    score: Column,
    port: str,
    log: Callable[[str], None] | None,
    *further: str,
) -> pl.DataFrame:
    frame = table.frame.select(named(n) for n in (label.name, score.name, *further))
    frame = frame.with_columns(pl.col(pl.Float64).fill_nan(None))
    complete = frame.drop_nulls(cs.by_name(label.name, score.name))
    if complete.height == 0:
        if frame[label.name].null_count() == frame.height:
            raise LabelAllMissing(label.name, port)
        raise ScoresAllMissing(score.name, port)
    if log and (ignored := frame.height - complete.height):
        log(f"{ignored} rows without a label or a score are ignored.")
    return complete


def _floats(values: pl.Series) -> Floats:
    return values.cast(pl.Float64).to_numpy().astype(np.float64, copy=False)


def metric_columns(task: Task, schema: Schema = _NOTHING) -> Schema:
    """The columns of the evaluation table of scored data with that schema."""
    ones = np.array([0.0, 1.0])
    names: Metrics
    if task is Task.REGRESSION:
        names = regression_metrics(ones, ones)
    elif task in (Task.TWO_CLASS, Task.ANOMALY):
        names = two_class_metrics(ones > 0, ones, threshold=THRESHOLD)
    elif task is Task.MULTICLASS:
        names = multiclass_metrics(np.array([0, 1]), np.array([0, 1]), ones)
    elif task is Task.QUANTILE_REGRESSION:
        names = QuantileScores(ones, dict.fromkeys(_quantile_columns(schema), ones)).metrics()
    else:
        return Schema(tuple(Column(n, _type_of(v)) for n, v in _ONE_CLUSTER.items()))
    return Schema(tuple(Column(name, ColumnType.DOUBLE) for name in names))


def metrics_frame(rows: list[Row]) -> pl.DataFrame:
    """The evaluation table."""
    return pl.DataFrame(rows, schema={n: _type_of(v).dtype for n, v in rows[0].items()})


def grouped_frame(rows: list[Row]) -> pl.DataFrame:
    """The evaluation table with rows of groups, which may lack a metric that the others have."""
    names = dict.fromkeys(name for row in rows for name in row)
    types = {n: _type_of(next((r[n] for r in rows if r.get(n) is not None), 0.0)) for n in names}
    return pl.DataFrame(rows, schema={n: kind.dtype for n, kind in types.items()})


def _type_of(value: object) -> ColumnType:
    known = {str: ColumnType.STRING, int: ColumnType.INTEGER}
    return known.get(type(value), ColumnType.DOUBLE)
