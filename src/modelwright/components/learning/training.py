"""From a table and a learner to a trained model."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np
import polars as pl

from modelwright.components.context import Context
from modelwright.components.errors import EmptyTable
from modelwright.components.learning.encoding import (
    CategoryFeature,
    Encoding,
    Floats,
    check_feature_types,
    check_size,
    learn_encoding,
)
from modelwright.components.learning.errors import (
    FractionalClasses,
    LabelAllMissing,
    NoFeatureColumns,
    NoLabelColumn,
    OneClassOnly,
    ScoreNameTaken,
    SeveralLabelColumns,
    TooFewRows,
    TooManyClasses,
    WrongClassCount,
    WrongLabelType,
    WrongLearner,
)
from modelwright.components.learning.explanation import explain, explain_exactly, sampled
from modelwright.components.learning.learner import (
    Class,
    Fitted,
    Learner,
    RowsLearner,
    TrainingData,
)
from modelwright.components.learning.scores import outline_scores
from modelwright.components.outline import LearnerOutline, ModelOutline, TableOutline
from modelwright.data.expression.table import named
from modelwright.data.fitted import Model
from modelwright.data.schema import Column, ColumnType, Role, Schema, Task
from modelwright.data.table import Table

FEWEST_ROWS = 2
MOST_CLASSES = 1_000

SUPERVISED = (Task.REGRESSION, Task.QUANTILE_REGRESSION, Task.TWO_CLASS, Task.MULTICLASS)

_CLASSES = (Task.TWO_CLASS, Task.MULTICLASS)
TRAINERS = {
    Task.CLUSTERING: "Train Clustering Model",
    Task.ANOMALY: "Train Anomaly Detection Model",
}
_LIBRARIES = ("modelwright", "polars", "numpy")


def train(
    learner: Learner,
    dataset: Table,
    label: str,
    context: Context,
    *,
    explanation: bool = False,
    port: str = "dataset",
) -> Model:
    """A model that predicts one column of the data from its other feature columns.

    In ParameterRange mode the first value of each range is used.  explanation: also estimate how
    much each feature moves the predictions.  Raises the errors of `training_data` and those of the
    learner.
    """
    chosen = learner.single()
    if ranges := learner.ranges():
        used = ", ".join(f"{name} {points[0]}" for name, points in ranges.items())
        context.log(f"ParameterRange mode: trained with the first value of each range ({used}).")
    if isinstance(chosen, RowsLearner):
        column = chosen_label(dataset.schema, label, port=port)
        check_label_type(chosen.task, column, chosen.__component__.title)
        features = features_of(dataset.schema, column.name, port=port)
        if explanation:
            context.log("What moves the predictions is not estimated for such a model.")
        return chosen.train_on(dataset, column, features, context, port=port)
    data = training_data(chosen, dataset, label, context, port=port)
    title = chosen.__component__.title
    context.log(f"{title}: {data.rows} rows, {len(data.features)} features.")
    started = time.perf_counter()
    fitted = chosen.fit(data, context)
    # In the log and not in the model, which is to be the same whenever it is trained.
    context.log(f"Fitted in {time.perf_counter() - started:.3g} seconds.")
    model = model_of(chosen, data, fitted)
    if not explanation:
        return model
    rows = sampled(dataset.frame.select(named(n) for n in model.features.names))
    if fitted.explains is not None:
        encoded = data.encoded.encoding.encode(rows)
        told = explain_exactly(model, fitted.explains, encoded, data.encoded)
    else:
        told = explain(model, rows, rows)
    return replace(model, learnt={**model.learnt, "explanation": told.record(rows)})


def outline_of_training(
    learner: LearnerOutline | None,
    dataset: TableOutline | None,
    label: str,
    *,
    port: str = "dataset",
) -> ModelOutline | None:
    """What the model will be, as far as it is known before the run.

    Raises what training would raise for the same columns.
    """
    task, further = (learner.task, learner.further) if learner else (None, Schema())
    if dataset is None or (label and label not in dataset.schema and not dataset.complete):
        return ModelOutline(task) if task else None
    if not label and not dataset.schema.labels and not dataset.complete:
        return ModelOutline(task) if task else None
    column = chosen_label(dataset.schema, label, port=port)
    if dataset.rows == 0:
        raise EmptyTable(port, FEWEST_ROWS)
    if learner:
        check_label_type(learner.task, column, learner.title)
    features = features_of(dataset.schema, column.name, port=port) if dataset.complete else None
    if task is None:
        return None
    if learner is not None and not learner.scores_known:
        return ModelOutline(task, column, features)
    scores = outline_scores(task, column).put(*(_of_label(c, column) for c in further))
    return ModelOutline(task, column, features, scores)


def _of_label(score: Column, label: Column) -> Column:
    return replace(score, score=replace(score.score, label=label.name)) if score.score else score


def refuse_unsupervised(task: Task, learner: str) -> None:
    """Raise WrongLearner for a learner that is not fitted to a label."""
    if task not in SUPERVISED:
        raise WrongLearner(learner, task.value, TRAINERS[task])


_version = cache(version)


def model_of(learner: Learner, data: TrainingData, fitted: Fitted) -> Model:
    """The model, with what is recorded of every training.  Raises ScoreNameTaken."""
    for column, _ in fitted.scores:
        if column.name in data.features:
            raise ScoreNameTaken(column.name, "dataset")
    libraries = {name: _version(name) for name in (*_LIBRARIES, *fitted.libraries)}
    learnt: dict[str, Any] = {
        "settings": learner.settings(),
        "rows": data.rows,
        "featurisation": featurisation(data.encoded.encoding),
        "libraries": libraries,
        **fitted.learnt,
    }
    return Model(
        task=learner.task,
        formula=fitted.formula,
        features=data.features,
        scores=Schema(tuple(c for c, _ in fitted.scores)),
        label=data.label,
        classes=data.classes,
        natives=fitted.natives,
        learnt=learnt,
        made_by=learner.__component__.title,
    )


def featurisation(encoding: Encoding) -> list[dict[str, Any]]:
    """How each feature became numbers, for people."""
    return [
        {"feature": f.name, "as": "category", "levels": list(f.levels)}
        if isinstance(f, CategoryFeature)
        else {
            "feature": f.name,
            "as": "number",
            "mean": f.mean,
            "minimum": f.minimum,
            "maximum": f.maximum,
        }
        for f in encoding.features
    ]


def chosen_label(schema: Schema, label: str, *, port: str = "dataset") -> Column:
    """The label column: the chosen one, or without a choice the one that carries the mark.

    Raises MissingColumn, NoLabelColumn and SeveralLabelColumns.
    """
    if label:
        return schema.column(label, port=port)
    if not schema.labels:
        raise NoLabelColumn(port)
    if len(schema.labels) > 1:
        raise SeveralLabelColumns(port, (c.name for c in schema.labels))
    return schema.labels[0]


def features_of(schema: Schema, label: str | None, *, port: str = "dataset") -> Schema:
    """The columns to learn from: those in the role of features, without the label.

    Raises NoFeatureColumns, and ColumnTypeError for a feature that cannot be encoded.
    """
    kept = [c for c in schema if c.role is Role.FEATURE and c.name != label]
    if not kept:
        raise NoFeatureColumns(port, label)
    features = Schema(tuple(kept))
    check_feature_types(features, port=port)
    return features


def check_label_type(task: Task, label: Column, learner: str) -> None:
    """Raises WrongLabelType when the column cannot be predicted by a learner for that task."""
    if task in _CLASSES:
        if label.type in (ColumnType.DATETIME, ColumnType.OTHER):
            wanted = "classes: text, numbers or booleans"
            raise WrongLabelType(label.name, label.type.value, wanted, learner=learner)
    elif not label.type.is_numeric:
        raise WrongLabelType(label.name, label.type.value, "numbers", learner=learner)


def training_data(
    learner: Learner, dataset: Table, label: str, context: Context, *, port: str = "dataset"
) -> TrainingData:
    """The rows that have a label, as numbers.

    Raises EmptyTable, LabelAllMissing, TooFewRows, InfiniteValues and the errors of `chosen_label`,
    `features_of`, `check_label_type`, `learn_encoding` and of classes that do not suit the task.
    """
    column = chosen_label(dataset.schema, label, port=port)
    if dataset.rows == 0:
        # Before the types: columns without a value are text, which says nothing about them.
        raise EmptyTable(port, FEWEST_ROWS)
    check_label_type(learner.task, column, learner.__component__.title)
    features = features_of(dataset.schema, column.name, port=port)
    frame = _labelled(dataset.frame, column)
    if frame.height == 0:
        raise LabelAllMissing(column.name, port)
    if ignored := dataset.rows - frame.height:
        context.log(f'{ignored} rows without a value in "{column.name}" are ignored.')
    if frame.height < FEWEST_ROWS:
        raise TooFewRows(port, frame.height, FEWEST_ROWS)
    values = frame[column.name]
    if column.type is ColumnType.DOUBLE:
        check_size(values, port=port)
    classes: tuple[Class, ...] = ()
    if learner.task in _CLASSES:
        classes = classes_of(values, column, learner.task)
        target = _class_numbers(values, classes)
    else:
        target = values.cast(pl.Float64).to_numpy().astype(np.float64, copy=False)
    encoded = learn_encoding(frame, features, port=port).encode(frame)
    return TrainingData(encoded, features, target, column, classes)


def _labelled(frame: pl.DataFrame, label: Column) -> pl.DataFrame:
    values = frame[label.name]
    known = values.is_not_null()
    if label.type is ColumnType.DOUBLE:
        known &= values.is_not_nan().fill_null(value=False)
    return frame if known.all() else frame.filter(known)


def classes_of(values: pl.Series, label: Column, task: Task) -> tuple[Class, ...]:
    """The label's values in sorted order.  Raises when they do not suit the task."""
    found = values.unique().sort()
    if len(found) == 1:
        raise OneClassOnly(label.name, found[0])
    if task is Task.TWO_CLASS and len(found) == 2:
        return tuple(found.to_list())
    if label.type is ColumnType.DOUBLE and not label.categorical:
        fractions = found.filter(found != found.round())
        if len(fractions):
            raise FractionalClasses(label.name, fractions[0])
    if task is Task.TWO_CLASS:
        raise WrongClassCount(label.name, len(found), found.head(5).to_list())
    if len(found) > MOST_CLASSES:
        raise TooManyClasses(label.name, len(found), MOST_CLASSES)
    return tuple(found.to_list())


def _class_numbers(values: pl.Series, classes: tuple[Class, ...]) -> Floats:
    numbers = values.replace_strict(list(classes), range(len(classes)), return_dtype=pl.Float64)
    return numbers.to_numpy()
