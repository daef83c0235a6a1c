"""Convert to Indicator Values: a column of 0 and 1 for each category."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple

import numpy as np
import polars as pl
from pydantic import Field

from modelwright.components.columns import ColumnSelection
from modelwright.components.contract import Component, Replay
from modelwright.components.errors import ComponentError, EmptyTable
from modelwright.components.outline import Outline, TableOutline, TransformOutline
from modelwright.components.palette.column_flow import flow, table_outline
from modelwright.components.parameters import Columns
from modelwright.data.expression import (
    Compute,
    Drop,
    DuplicateColumn,
    Expression,
    Formula,
    Scalar,
    column,
    when,
)
from modelwright.data.expression.scalars import encoded
from modelwright.data.few_values import numbered
from modelwright.data.fitted import Transform
from modelwright.data.schema import Column, ColumnType, Schema
from modelwright.data.table import Table

_MOST = 10_000


class NotCategorical(ComponentError):
    """A selected column does not carry the categorical flag."""

    code = "not-categorical"

    def __init__(self, column: str) -> None:
        super().__init__(
            f'Column "{column}" on port "dataset" is not categorical.',
            remedy="Mark it as categorical with Edit Metadata first, or leave it out.",
            column=column,
            port="dataset",
        )


class TooManyIndicators(ComponentError):
    """The selected columns have so many values that a column for each would be of no use."""

    code = "too-many-indicators"

    def __init__(self, column: str, count: int) -> None:
        super().__init__(
            f'Column "{column}" on port "dataset" would make {count} new columns with those before it; '
            f"{_MOST} are allowed.",
            remedy="Group its rare values first, or leave the column out.",
            column=column,
            port="dataset",
            count=count,
        )


class Indicated(NamedTuple):
    results_dataset: Table
    indicator_values_transformation: Transform


class ConvertToIndicatorValues(
    Component,
    category="Data Transformation",
    title="Convert to Indicator Values",
    at_inference=Replay("dataset", "indicator_values_transformation", "results_dataset"),
):
    """Make a column of 0 and 1 for each value of categorical columns.

    The new columns are named COLUMN-VALUE and stand last, in the order of the columns and, within one,
    of its values; missing values make a column COLUMN-Missing.  In each row one of them is 1.

    In other rows a value that did not occur here, or a missing one where none was missing here, makes
    all of them 0.
    """

    columns: Annotated[
        ColumnSelection, Columns("dataset"), Field(title="Categorical columns to convert")
    ] = ColumnSelection.typed("Categorical")
    """The columns to be expanded; each must carry the categorical flag."""

    overwrite: Annotated[bool, Field(title="Overwrite categorical columns")] = False
    """Whether the new columns take the place of the old ones, instead of standing beside them."""

    @property
    def learns_from_rows(self) -> bool:
        # Only which values there are is learnt, which tells nothing of any row.
        return False

    def run(self, dataset: Table) -> Indicated:
        chosen = self._chosen(dataset.schema)
        if not dataset.rows:
            raise EmptyTable("dataset")
        values = _values(dataset, chosen)
        indicators = Compute(_indicators(dataset.schema, values))
        formula = Formula(indicators, Drop(chosen)) if self.overwrite else Formula(indicators)
        transform = Transform(
            formula,
            dataset.schema,
            learnt={
                "values": {name: [encoded(v) for v in found] for name, found in values.items()}
            },
            made_by=self.__component__.title,
        )
        return Indicated(transform.apply(dataset), transform)

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        table = flow(table_outline(inputs), self._kept, self.columns)
        known = table_outline(inputs)
        if table is None or known is None:
            return super().outline(**inputs)
        given = TableOutline(table.schema, complete=False, rows=table.rows)
        fitted = TransformOutline((), given)
        return {"results_dataset": given, "indicator_values_transformation": fitted}

    def _chosen(self, schema: Schema) -> tuple[str, ...]:
        chosen = self.columns.resolve(schema, parameter="Categorical columns to convert")
        for name in chosen:
            found = schema.column(name)
            if not found.categorical or found.type is ColumnType.OTHER:
                raise NotCategorical(name)
        return chosen

    def _kept(self, schema: Schema) -> Schema:
        chosen = self._chosen(schema)
        return schema.drop(chosen) if self.overwrite else schema


def _values(table: Table, names: Sequence[str]) -> dict[str, list[Scalar]]:
    """The different values of each column, sorted; None last when any is missing."""
    found: dict[str, list[Scalar]] = {}
    count = 0
    for name in names:
        series = table.frame.get_column(name)
        series = series.fill_nan(None) if series.dtype.is_float() else series
        few = numbered(series, most=_MOST)
        different = few.values.gather(np.unique(few.numbers)) if few else series.unique()
        count += len(different)
        if count > _MOST:
            raise TooManyIndicators(name, count)
        missing: list[Scalar] = [None] if different.null_count() else []
        found[name] = [*different.drop_nulls().sort(), *missing]
    return found


def _indicators(schema: Schema, values: Mapping[str, Sequence[Scalar]]) -> dict[str, Expression]:
    """The new columns.  Raises DuplicateColumn when two would share a name, or one is taken."""
    made: dict[str, Expression] = {}
    for name, found in values.items():
        for value, word in zip(found, _words(schema.column(name), found), strict=True):
            new = f"{name}-{word}"
            if new in made or new in schema:
                raise DuplicateColumn(new)
            one = column(name)
            here = one.is_missing() if value is None else one.equals(value)
            made[new] = when(here, 1, 0)
    return made


def _words(source: Column, values: Sequence[Scalar]) -> list[str]:
    """The values as they are written, with Missing for the missing one."""
    frame = pl.DataFrame({"value": pl.Series(values, dtype=source.type.dtype)})
    written = Formula(Compute({"value": column("value").cast(ColumnType.STRING)})).apply(frame)
    return written.to_series().fill_null("Missing").to_list()
