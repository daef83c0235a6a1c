"""Apply Transformation: what was learnt from one table, done to another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import polars as pl

from modelwright.components.contract import Component, Titled
from modelwright.components.errors import ColumnTypeError
from modelwright.components.outline import Outline, TableOutline, TransformOutline
from modelwright.components.palette.column_flow import table_outline
from modelwright.data.fitted import Transform
from modelwright.data.schema import ColumnType, Schema
from modelwright.data.table import Table


class ApplyTransformation(Component, category="Model Scoring and Evaluation"):
    """Apply a fitted transformation to a table.

    Columns and fitted values are those of the transformation; nothing is learnt anew.  The table must
    have the columns that the transformation reads, of the types that it was fitted on; a whole number
    may stand for a fractional one.  Further columns pass through unless it drops them.
    """

    def run(
        self, transformation: Transform, dataset: Table
    ) -> Annotated[Table, Titled("Transformed dataset")]:
        _refuse_other_types(transformation, dataset.schema)
        return transformation.apply(dataset)

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        table, transformation = table_outline(inputs), inputs.get("transformation")
        if table is None or not isinstance(transformation, TransformOutline):
            return super().outline(**inputs)
        if table.complete:
            for name in transformation.reads:
                table.schema.column(name, port="dataset")
        fitted = transformation.fitted
        # Native values are loaded by a run only.
        if fitted is not None and not fitted.natives and _can_be_empty(table):
            return {"transformed_dataset": _applied(fitted, table.schema)}
        given = transformation.gives
        if given is None:
            return super().outline(**inputs)
        # Columns that it adds cannot be told from columns that only its own table had.
        sure = [c for c in given.schema if c.name in table.schema]
        return {"transformed_dataset": TableOutline(Schema(tuple(sure)), complete=False)}


def _can_be_empty(table: TableOutline) -> bool:
    return table.complete and all(c.type is not ColumnType.OTHER for c in table.schema)


def _applied(transformation: Transform, schema: Schema) -> TableOutline:
    """What a transformation makes of a table of these columns: tried on one without rows."""
    _refuse_other_types(transformation, schema)
    empty = pl.DataFrame(schema={c.name: c.type.dtype for c in schema})
    made = transformation.apply(Table(empty, schema))
    # Which rows it takes out cannot be told from none.
    return TableOutline(made.schema)


def _refuse_other_types(transformation: Transform, schema: Schema) -> None:
    for name in sorted(transformation.formula.required()):
        found = schema.column(name, port="dataset").type
        if name not in transformation.schema:
            continue
        fitted = transformation.schema.column(name).type
        widened = fitted is ColumnType.DOUBLE and found is ColumnType.INTEGER
        if found is not fitted and not widened:
            raise ColumnTypeError(name, found.value, fitted.value, port="dataset")
