"""Add Columns: two tables side by side."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Annotated

import polars as pl

from modelwright.components.contract import Bypass, Component, Titled
from modelwright.components.outline import Outline, TableOutline
from modelwright.components.palette.column_flow import table_outline
from modelwright.data.expression import DuplicateColumn
from modelwright.data.expression.frames import renamed
from modelwright.data.schema import Schema
from modelwright.data.table import Table


class AddColumns(Component, category="Data Transformation"):
    """Put two tables side by side, row by row.

    The columns of the left table come first.  The shorter table is filled up with missing values.  A
    name that both have becomes NAME_1 on the left and NAME_2 on the right; roles and flags go with
    their columns.

    In an inference pipeline a request brings the rows of both tables.
    """

    def run(
        self, left_dataset: Table, right_dataset: Table
    ) -> Annotated[Table, Titled("Combined dataset")]:
        left, right = _told_apart(left_dataset.schema, right_dataset.schema)
        frames = [
            renamed(table.frame, dict(zip(table.schema.names, schema.names, strict=True)))
            for table, schema in ((left_dataset, left), (right_dataset, right))
        ]
        even = frames[0].height == frames[1].height
        frame = pl.concat(frames, how="horizontal" if even else "horizontal_extend")
        return Table(frame, (*left, *right))

    def beside_request(self, ports: Collection[str]) -> Component | Bypass | None:
        return None

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        left, right = table_outline(inputs, "left_dataset"), table_outline(inputs, "right_dataset")
        # A column that is not known yet could share its name with any other.
        if left is None or right is None or not (left.complete and right.complete):
            return super().outline(**inputs)
        columns = Schema(tuple(c for side in _told_apart(left.schema, right.schema) for c in side))
        known = left.rows is not None and right.rows is not None
        rows = max(left.rows or 0, right.rows or 0) if known else None
        return {"combined_dataset": TableOutline(columns, rows=rows)}


def _told_apart(left: Schema, right: Schema) -> tuple[Schema, Schema]:
    """Both with names that differ.  Raises DuplicateColumn when a new name is taken already."""
    shared = {c.name for c in left} & {c.name for c in right}
    sides = [
        Schema(tuple(replace(c, name=f"{c.name}_{n}") if c.name in shared else c for c in side))
        for n, side in ((1, left), (2, right))
    ]
    seen: set[str] = set()
    for column in (*sides[0], *sides[1]):
        if column.name in seen:
            raise DuplicateColumn(column.name)
        seen.add(column.name)
    return sides[0], sides[1]
