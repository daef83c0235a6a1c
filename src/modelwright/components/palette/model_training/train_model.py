"""Train Model: a learner and labelled rows give a trained model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from modelwright.components.context import Context
from modelwright.components.contract import Component, Titled
from modelwright.components.learning.learner import Learner
from modelwright.components.learning.sample import with_sample
from modelwright.components.learning.training import (
    outline_of_training,
    refuse_unsupervised,
    train,
)
from modelwright.components.outline import LearnerOutline, Outline, TableOutline
from modelwright.components.parameters import ColumnName
from modelwright.data.fitted import Model, UntrainedModel
from modelwright.data.table import Table


class TrainModel(Component, category="Model Training"):
    """Fits a learner to rows whose label is known.

    Features are all columns in the role of features, save the label.  Rows without a label are
    ignored.  Text and categorical columns become categories by the values seen here; numbers stay
    numbers.  A learner in ParameterRange mode is trained with the first value of each range.
    """

    label_column: ColumnName = ""
    """The column to predict; when empty, the one that carries the label mark."""

    model_explanation: bool = False
    """Also tell how much each feature moves the predictions, by Shapley values of some rows.

    Exact for linear models and boosted trees; for others estimated over random orders of features.
    """

    def run(
        self,
        untrained_model: Annotated[UntrainedModel, Titled("Untrained model")],
        dataset: Annotated[Table, Titled("Dataset")],
        *,
        context: Context,
    ) -> Annotated[Model, Titled("Trained model")]:
        learner = Learner.of(untrained_model)
        refuse_unsupervised(learner.task, learner.__component__.title)
        model = train(
            learner, dataset, self.label_column, context, explanation=self.model_explanation
        )
        return with_sample(model, dataset)

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        learner, dataset = inputs.get("untrained_model"), inputs.get("dataset")
        if not isinstance(learner, LearnerOutline):
            learner = None
        else:
            refuse_unsupervised(learner.task, learner.title)
        if not isinstance(dataset, TableOutline):
            dataset = None
        return {"trained_model": outline_of_training(learner, dataset, self.label_column)}
