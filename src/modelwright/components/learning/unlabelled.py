"""From a table and a learner that needs no label to a trained model."""

from __future__ import annotations

import numpy as np

from modelwright.components.columns import ColumnSelection
from modelwright.components.context import Context
from modelwright.components.errors import EmptyTable
from modelwright.components.learning.encoding import check_feature_types, learn_encoding
from modelwright.components.learning.errors import NoFeatureColumns, WrongLearner
from modelwright.components.learning.imputation import filled
from modelwright.components.learning.learner import Learner, TrainingData, Working
from modelwright.components.learning.sample import with_sample
from modelwright.components.learning.training import TRAINERS, model_of
from modelwright.components.outline import LearnerOutline, ModelOutline, TableOutline
from modelwright.data.fitted import Model
from modelwright.data.schema import Column, Role, Schema, Task
from modelwright.data.table import Table


def train_unlabelled(
    learner: Learner, dataset: Table, features: Schema, context: Context, label: Column | None
) -> Model:
    """A model of these columns of the data.

    label: a column that is not among the features, which the learner may make something of.
    Raises EmptyTable and the errors of `learn_encoding` and of the learner.
    """
    if dataset.rows == 0:
        raise EmptyTable("dataset")
    frame, working = dataset.frame, Working()
    sources = {}
    if label is not None and learner.label_is_feature:
        frame, value = filled(frame, label, features, working)
        sources = {label.name: value}
        features, label = features.put(label), None
    data = TrainingData(
        learn_encoding(frame, features).encode(frame),
        features,
        np.empty(0),
        label,
        labels=() if label is None else frame[label.name].to_list(),
        sources=sources,
        prepared=working,
    )
    title = learner.__component__.title
    context.log(f"{title}: {data.rows} rows, {len(features)} features.")
    return with_sample(model_of(learner, data, learner.fit(data, context)), dataset)


def plain_features(schema: Schema, *, port: str = "dataset") -> Schema:
    """The columns in the role of features.  Raises NoFeatureColumns and ColumnTypeError."""
    features = Schema(tuple(c for c in schema if c.role is Role.FEATURE))
    if not len(features):
        raise NoFeatureColumns(port, None)
    check_feature_types(features, port=port)
    return features


def chosen_features(
    schema: Schema, selection: ColumnSelection, *, parameter: str, without: str | None
) -> Schema:
    """The selected columns, or all features when nothing is selected, save one of that name.

    Raises NoFeatureColumns, ColumnTypeError and the errors of the selection.
    """
    if selection.is_empty:
        names = [c.name for c in schema if c.role is Role.FEATURE]
    else:
        names = list(selection.resolve(schema, parameter=parameter))
    features = schema.keep(n for n in names if n != without)
    if not len(features):
        raise NoFeatureColumns("dataset", without)
    check_feature_types(features, port="dataset")
    return features


def refuse_other_tasks(task: Task, wanted: Task, learner: str) -> None:
    """Raise WrongLearner, naming the step that trains the learner, unless it is for the task."""
    if task is not wanted:
        raise WrongLearner(learner, task.value, TRAINERS.get(task, "Train Model"))


def outline_of(
    learner: LearnerOutline | None, dataset: TableOutline | None, features: Schema | None
) -> ModelOutline | None:
    """What the model will be, as far as it is known before the run."""
    if learner is None:
        return None
    known = features if dataset is not None and dataset.complete else None
    return ModelOutline(learner.task, None, known, learner.further or None)
