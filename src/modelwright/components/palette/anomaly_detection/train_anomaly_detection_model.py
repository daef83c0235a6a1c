"""Train Anomaly Detection Model: a detector and rows that are nearly all normal give a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from modelwright.components.context import Context
from modelwright.components.contract import Component, Titled
from modelwright.components.learning.learner import Learner
from modelwright.components.learning.unlabelled import (
    outline_of,
    plain_features,
    refuse_other_tasks,
    train_unlabelled,
)
from modelwright.components.outline import LearnerOutline, Outline, TableOutline
from modelwright.data.fitted import Model, UntrainedModel
from modelwright.data.schema import Task
from modelwright.data.table import Table


class TrainAnomalyDetectionModel(Component, category="Anomaly Detection"):
    """Fits an anomaly detector to rows that are nearly all normal.

    Features are all columns in the role of features; a column with the label mark is left out.
    Predictions come from Score Model.
    """

    def run(
        self,
        untrained_model: Annotated[UntrainedModel, Titled("Untrained model")],
        dataset: Annotated[Table, Titled("Dataset")],
        *,
        context: Context,
    ) -> Annotated[Model, Titled("Trained model")]:
        learner = Learner.of(untrained_model).single()
        refuse_other_tasks(learner.task, Task.ANOMALY, learner.__component__.title)
        features = plain_features(dataset.schema)
        return train_unlabelled(learner, dataset, features, context, None)

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        learner, dataset = inputs.get("untrained_model"), inputs.get("dataset")
        if isinstance(learner, LearnerOutline):
            refuse_other_tasks(learner.task, Task.ANOMALY, learner.title)
        else:
            learner = None
        if not isinstance(dataset, TableOutline):
            dataset = None
        features = None
        if dataset is not None and dataset.complete:
            features = plain_features(dataset.schema)
        return {"trained_model": outline_of(learner, dataset, features)}
