"""Score Model: a trained model adds its predictions to rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from modelwright.components.contract import Component, Keep, Titled
from modelwright.components.learning.errors import WrongModel
from modelwright.components.learning.scoring import outline_of_scoring, score
from modelwright.components.outline import ModelOutline, Outline, TableOutline
from modelwright.data.fitted import Model
from modelwright.data.schema import Task
from modelwright.data.table import Table


class ScoreModel(Component, category="Model Scoring and Evaluation", at_inference=Keep()):
    """Adds a trained model's predictions to rows, as columns after those that are there.

    A regression model adds Scored Labels, the predicted number.  A two-class model adds Scored
    Labels, the predicted class, and Scored Probabilities, the probability of the positive class,
    which is the last of the two in sorted order; from 0.5 on a row is scored positive.  Rows keep
    their order; the columns of the training features must be there, in any order.
    """

    def run(
        self,
        trained_model: Annotated[Model, Titled("Trained model")],
        dataset: Annotated[Table, Titled("Dataset")],
    ) -> Annotated[Table, Titled("Scored dataset")]:
        _refuse_clusters(trained_model.task)
        return score(trained_model, dataset)

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        model, dataset = inputs.get("trained_model"), inputs.get("dataset")
        if not isinstance(model, ModelOutline):
            model = None
        else:
            _refuse_clusters(model.task)
        if not isinstance(dataset, TableOutline):
            return {"scored_dataset": None}
        return {"scored_dataset": outline_of_scoring(model, dataset)}


def _refuse_clusters(task: Task) -> None:
    if task is Task.CLUSTERING:
        raise WrongModel(task.value, "Assign Data to Clusters")
