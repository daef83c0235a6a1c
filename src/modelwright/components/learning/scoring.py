"""Applying a trained model to a table whose columns may not be quite those of training."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from modelwright.components.learning.errors import SchemaMismatch
from modelwright.components.outline import ModelOutline, TableOutline
from modelwright.data.errors import suggestion
from modelwright.data.expression.table import named
from modelwright.data.fitted import Model
from modelwright.data.schema import Column, ColumnType, Role, Schema, Task
from modelwright.data.table import Table

_KNOWN_SCORES = (Task.REGRESSION, Task.QUANTILE_REGRESSION, Task.TWO_CLASS, Task.ANOMALY)


def score(model: Model, dataset: Table, *, port: str = "dataset") -> Table:
    """The rows with the score columns added last.  Raises SchemaMismatch."""
    empty = {c.name for c in dataset.schema if _is_empty(dataset.frame, c.name)}
    check_features(model.features, dataset.schema, model.made_by, port=port, empty=empty)
    scored = model.score(_as_trained(model.features, dataset))
    if model.label is not None and model.label.name in scored.schema:
        return scored.mark(model.label.name, role=Role.LABEL)
    return scored


def outline_of_scoring(model: ModelOutline | None, dataset: TableOutline) -> TableOutline:
    """The scored table, as far as it is known before the run.  Raises SchemaMismatch."""
    if model is None:
        return TableOutline(dataset.schema, complete=False, rows=dataset.rows)
    if model.features is not None and dataset.complete:
        check_outline(model.features, dataset)
    scores = model.scores or Schema()
    schema = dataset.schema.drop(scores.names).put(*scores)
    if model.label is not None and model.label.name in schema:
        schema = schema.put(replace(schema.column(model.label.name), role=Role.LABEL))
    known = model.scores is not None and model.task in _KNOWN_SCORES
    return TableOutline(schema, dataset.complete and known, dataset.rows)


def check_outline(features: Schema, dataset: TableOutline) -> None:
    """Raise SchemaMismatch for what is sure not to suit the model before there are rows.

    A column without any value is text, and suits every type.
    """
    schema = dataset.schema
    unsure = {c.name for c in schema if c.type is ColumnType.STRING or dataset.rows == 0}
    check_features(features, schema, "", port="dataset", empty=unsure)


def check_features(
    features: Schema,
    schema: Schema,
    made_by: str,
    *,
    port: str,
    empty: set[str] | None = None,
) -> None:
    """Raise SchemaMismatch, naming column by column what does not suit the model.

    Whole and fractional numbers stand for each other.  empty: columns without any value, whose type
    says nothing.
    """
    faults = []
    for feature in features:
        if feature.name not in schema:
            near = suggestion(feature.name, schema.names).strip().rstrip(".")
            hint = f" ({near[:1].lower()}{near[1:]})" if near else ""
            faults.append(f'column "{feature.name}" is missing{hint}')
            continue
        found = schema.column(feature.name)
        if not _suits(feature, found) and feature.name not in (empty or ()):
            faults.append(
                f'column "{feature.name}" is {found.type.value}, was {feature.type.value}'
            )
    if faults:
        raise SchemaMismatch(port, made_by, faults)


def _suits(feature: Column, found: Column) -> bool:
    return feature.type is found.type or (feature.type.is_numeric and found.type.is_numeric)


def _is_empty(frame: pl.DataFrame, name: str) -> bool:
    return frame[name].null_count() == frame.height


def _as_trained(features: Schema, dataset: Table) -> Table:
    """The features in their types of training, where the formula could tell the difference.

    A whole number's levels are looked up by whole numbers: another number is no level.
    """
    casts = []
    for feature in features:
        found = dataset.schema.column(feature.name).type
        if found is feature.type:
            continue
        value = named(feature.name)
        if found is ColumnType.DOUBLE and feature.type is ColumnType.INTEGER:
            if not feature.categorical:
                continue
            value = pl.when(value == value.round()).then(value)
        casts.append(value.cast(feature.type.dtype, strict=False).alias(feature.name))
    return dataset.of(dataset.frame.with_columns(casts)) if casts else dataset
