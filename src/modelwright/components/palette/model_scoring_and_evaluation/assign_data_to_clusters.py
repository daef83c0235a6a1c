"""Assign Data to Clusters: a trained clustering puts rows into its clusters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from modelwright.components.contract import Component, Keep, Titled
from modelwright.components.learning.clusters import assigned, outline_of_assignment
from modelwright.components.outline import ModelOutline, Outline, TableOutline
from modelwright.data.fitted import Model
from modelwright.data.table import Table


class AssignDataToClusters(
    Component,
    category="Model Scoring and Evaluation",
    title="Assign Data to Clusters",
    at_inference=Keep(),
):
    """Puts each row into the cluster whose centre is nearest, and gives the distance from each.

    Assignments holds the number of the cluster, from 0.  The columns the clusters were made by must be
    there, in any order.
    """

    append: Annotated[bool, Field(title="Check for append or uncheck for result only")] = True
    """Give the columns of the data too, before the cluster and the distances."""

    def run(
        self,
        trained_model: Annotated[Model, Titled("Trained model")],
        dataset: Annotated[Table, Titled("Dataset")],
    ) -> Annotated[Table, Titled("Results dataset")]:
        return assigned(trained_model, dataset, append=self.append)

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        model, dataset = inputs.get("trained_model"), inputs.get("dataset")
        found = outline_of_assignment(
            model if isinstance(model, ModelOutline) else None,
            dataset if isinstance(dataset, TableOutline) else None,
            append=self.append,
        )
        return {"results_dataset": found}
