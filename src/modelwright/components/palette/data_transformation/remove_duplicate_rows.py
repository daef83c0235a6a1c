"""Remove Duplicate Rows: one row of each set of equal ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import polars as pl
from pydantic import Field

from modelwright.components.columns import ColumnSelection
from modelwright.components.contract import Bypass, Component, Titled
from modelwright.components.outline import Outline
from modelwright.components.palette.column_flow import flow, table_outline
from modelwright.components.parameters import Columns
from modelwright.data.expression.table import named
from modelwright.data.schema import Schema
from modelwright.data.table import Table


class RemoveDuplicateRows(
    Component, category="Data Transformation", at_inference=Bypass("dataset")
):
    """Keep one row of each set of rows that agree in the key columns.

    A row with a missing value in a key column is like no other and always stays.  The rows that stay
    keep their order.  In an inference pipeline the step falls away: every row that is sent is answered.
    """

    keys: Annotated[
        ColumnSelection,
        Columns("dataset"),
        Field(title="Key column selection filter expression"),
    ] = ColumnSelection(begin="all")
    """The columns in which duplicates agree."""

    retain_first: Annotated[bool, Field(title="Retain first duplicate row")] = True
    """Whether the first row of a set stays, instead of the last."""

    def run(self, dataset: Table) -> Annotated[Table, Titled("Results dataset")]:
        frame, names = dataset.frame, self._keys(dataset.schema)
        keys = frame.select(
            (named(n).fill_nan(None) if frame.schema[n].is_float() else named(n)).alias(str(at))
            for at, n in enumerate(names)
        )
        rows = keys.lazy().with_row_index("row")
        keyed = [str(at) for at in range(len(names))]
        row = pl.col("row").min() if self.retain_first else pl.col("row").max()
        alike = rows.drop_nulls(keyed).group_by(keyed).agg(row)
        alone = rows.filter(pl.any_horizontal(pl.col(keyed).is_null()))
        kept = pl.concat([alike.select("row"), alone.select("row")]).collect().to_series().sort()
        return dataset.of(frame if len(kept) == frame.height else frame[kept])

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        table = flow(table_outline(inputs), self._checked, self.keys, rows_stay=False)
        return {"results_dataset": table}

    def _keys(self, schema: Schema) -> tuple[str, ...]:
        return self.keys.resolve(schema, parameter="Key column selection filter expression")

    def _checked(self, schema: Schema) -> Schema:
        self._keys(schema)
        return schema
