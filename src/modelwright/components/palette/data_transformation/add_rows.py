"""Add Rows: one table below another."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Annotated

import polars as pl
import polars.selectors as cs

from modelwright.components.contract import Bypass, Component, Titled
from modelwright.components.errors import ComponentError
from modelwright.components.outline import Outline, TableOutline
from modelwright.components.palette.column_flow import table_outline
from modelwright.data.expression.table import named
from modelwright.data.schema import Column, ColumnType, Schema
from modelwright.data.table import Table


class ColumnsDiffer(ComponentError):
    """Two tables that must have the same columns have not."""

    code = "columns-differ"

    def __init__(self, why: str, **fields: object) -> None:
        super().__init__(
            f'The data on ports "dataset1" and "dataset2" do not have the same columns: {why}.',
            remedy="Bring them to the same columns with Select Columns in Dataset and Edit Metadata.",
            why=why,
            **fields,
        )


class AddRows(Component, category="Data Transformation"):
    """Put the rows of a second table below those of a first.

    Both have the same columns; they are matched by name and come in the order of the first table, with
    its roles and flags.  Whole and fractional numbers together become Double; other types must
    agree.  Rows that are equal stay.

    In an inference pipeline where requests bring the rows of one table only, the step falls away: the
    rows of the other are no answers.
    """

    def run(self, dataset1: Table, dataset2: Table) -> Annotated[Table, Titled("Results dataset")]:
        schema = _together(dataset1.schema, dataset2.schema)
        frames = []
        for table in (dataset1, dataset2):
            widened = [c.name for c in schema if table.schema.column(c.name).type is not c.type]
            frame = table.frame.with_columns(named(name).cast(pl.Float64) for name in widened)
            frames.append(frame.select(cs.by_name(*schema.names)))
        first, second = (frame.schema for frame in frames)
        for name in schema.names:
            # One type of column may have several forms, such as dates with time zones.
            if first[name] != second[name]:
                why = f'column "{name}" is {first[name]} in the first and {second[name]} in the second'
                raise ColumnsDiffer(why, columns=[name])
        return Table(pl.concat(frames), schema)

    def beside_request(self, ports: Collection[str]) -> Component | Bypass | None:
        return Bypass(next(iter(ports)))

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        first, second = table_outline(inputs, "dataset1"), table_outline(inputs, "dataset2")
        if first is None or second is None or not (first.complete and second.complete):
            return super().outline(**inputs)
        rows = (
            first.rows + second.rows if first.rows is not None and second.rows is not None else None
        )
        return {"results_dataset": TableOutline(_together(first.schema, second.schema), rows=rows)}


def _together(first: Schema, second: Schema) -> Schema:
    """The columns of both.  Raises ColumnsDiffer."""
    if len(first) != len(second):
        raise ColumnsDiffer(f"the first has {len(first)} and the second {len(second)} columns")
    for position, (one, other) in enumerate(zip(first, second, strict=True), start=1):
        if one.name not in second or other.name not in first:
            why = f'column {position} is "{one.name}" in the first and "{other.name}" in the second'
            raise ColumnsDiffer(why, position=position, columns=[one.name, other.name])
    return Schema(tuple(_both(column, second.column(column.name)) for column in first))


def _both(one: Column, other: Column) -> Column:
    if one.type is other.type:
        return one
    if one.type.is_numeric and other.type.is_numeric:
        return replace(one, type=ColumnType.DOUBLE)
    types = f"{one.type.value} in the first and {other.type.value} in the second"
    raise ColumnsDiffer(f'column "{one.name}" is {types}', columns=[one.name])
