"""Train Clustering Model: a clustering learner and rows give a trained model and the rows' clusters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, NamedTuple

from pydantic import Field

from modelwright.components.columns import ColumnSelection
from modelwright.components.context import Context
from modelwright.components.contract import Component, Titled
from modelwright.components.learning.clusters import assigned, outline_of_assignment
from modelwright.components.learning.learner import Learner
from modelwright.components.learning.unlabelled import (
    chosen_features,
    outline_of,
    refuse_other_tasks,
    train_unlabelled,
)
from modelwright.components.outline import LearnerOutline, Outline, TableOutline
from modelwright.components.palette.clustering.k_means_clustering import KMeansClustering
from modelwright.data.fitted import Model, UntrainedModel
from modelwright.data.schema import Schema, Task
from modelwright.data.table import Table


class Trained(NamedTuple):
    trained_model: Annotated[Model, Titled("Trained model")]
    results_dataset: Annotated[Table, Titled("Results dataset")]


class TrainClusteringModel(Component, category="Model Training"):
    """Fits a clustering learner and puts every row of the data into a cluster.

    Clusters are numbered from 0.  The column with the label mark is used as the learner's Assign label
    mode says.
    """

    column_set: ColumnSelection = ColumnSelection()
    """The columns to cluster by; all features when empty."""

    append: Annotated[bool, Field(title="Check for append or uncheck for result only")] = True
    """Give the columns of the data too, before the cluster and the distances."""

    def run(
        self,
        untrained_model: Annotated[UntrainedModel, Titled("Untrained model")],
        dataset: Annotated[Table, Titled("Dataset")],
        *,
        context: Context,
    ) -> Trained:
        learner = Learner.of(untrained_model)
        refuse_other_tasks(learner.task, Task.CLUSTERING, learner.__component__.title)
        label = dataset.label()
        features = self._features(dataset.schema)
        if label is None and _wants_label(learner):
            context.log("No column has the label mark, so there is no label to be used.")
        model = train_unlabelled(learner, dataset, features, context, label)
        return Trained(model, assigned(model, dataset, append=self.append))

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        learner, dataset = inputs.get("untrained_model"), inputs.get("dataset")
        if isinstance(learner, LearnerOutline):
            refuse_other_tasks(learner.task, Task.CLUSTERING, learner.title)
        else:
            learner = None
        if not isinstance(dataset, TableOutline):
            dataset = None
        features = None
        if dataset is not None and dataset.complete:
            features = self._features(dataset.schema)
            if dataset.schema.labels:
                # Whether the label becomes a feature is a setting of the learner.
                features = None
        model = outline_of(learner, dataset, features)
        rows = outline_of_assignment(None, dataset, append=self.append)
        return {"trained_model": model, "results_dataset": rows}

    def _features(self, schema: Schema) -> Schema:
        labels = schema.labels
        label = labels[0].name if len(labels) == 1 else None
        return chosen_features(schema, self.column_set, parameter="Column Set", without=label)


def _wants_label(learner: Learner) -> bool:
    mode = learner.assign_label_mode if isinstance(learner, KMeansClustering) else ""
    return mode not in ("", "Ignore label column")
