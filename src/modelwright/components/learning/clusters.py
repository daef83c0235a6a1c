"""Putting rows into the clusters of a trained model."""

from __future__ import annotations

from modelwright.components.learning.errors import WrongModel
from modelwright.components.learning.scores import assignment_column
from modelwright.components.learning.scoring import check_outline, score
from modelwright.components.outline import ModelOutline, TableOutline
from modelwright.data.expression.table import named
from modelwright.data.fitted import Model
from modelwright.data.schema import Schema, Task
from modelwright.data.table import Table


def assigned(model: Model, dataset: Table, *, append: bool) -> Table:
    """The rows with cluster and distances added last, or those columns alone.

    Raises WrongModel for a model that knows no clusters, and SchemaMismatch.
    """
    refuse_other_models(model.task)
    scored = score(model, dataset)
    if not append:
        return scored.of(scored.frame.select(named(n) for n in model.scores.names))
    if model.label is None or model.label.name not in dataset.schema:
        return scored
    # A label that was replaced stays in its place; other scores come last.
    others = [n for n in model.scores.names if n != model.label.name]
    kept = [n for n in dataset.schema.names if n not in others]
    return scored.of(scored.frame.select(named(n) for n in (*kept, *others)))


def outline_of_assignment(
    model: ModelOutline | None, dataset: TableOutline | None, *, append: bool
) -> TableOutline | None:
    """What is known before the run: how many distances there are depends on the data."""
    if model is not None:
        refuse_other_models(model.task)
    if dataset is None:
        return None
    if model is not None and model.features is not None and dataset.complete:
        check_outline(model.features, dataset)
    known = dataset.schema if append else Schema()
    cluster = assignment_column()
    schema = known.drop([cluster.name]).put(cluster)
    return TableOutline(schema, complete=False, rows=dataset.rows)


def refuse_other_models(task: Task) -> None:
    """Raise WrongModel unless the model is one of clusters."""
    if task is not Task.CLUSTERING:
        raise WrongModel(task.value, "Score Model")
