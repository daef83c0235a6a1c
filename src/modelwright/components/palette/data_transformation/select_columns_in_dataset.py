"""Select Columns in Dataset: a table with fewer columns, or in another order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from modelwright.components.columns import ColumnSelection
from modelwright.components.contract import Component, Titled
from modelwright.components.outline import Outline
from modelwright.components.palette.column_flow import flow, table_outline
from modelwright.components.parameters import Columns
from modelwright.data.expression import Formula, Keep
from modelwright.data.schema import Schema
from modelwright.data.table import Table


class SelectColumnsInDataset(
    Component, category="Data Transformation", title="Select Columns in Dataset"
):
    """Pass on some of the columns of a table.

    The columns come in the order of the table, or, where the selection keeps its own order, in the
    order in which its rules name them.  A column that several rules name comes once.
    """

    columns: Annotated[ColumnSelection, Columns("dataset"), Field(title="Select columns")] = (
        ColumnSelection()
    )
    """The columns to pass on."""

    def run(self, dataset: Table) -> Annotated[Table, Titled("Results dataset")]:
        return dataset.of(self.formula(dataset.schema).apply(dataset.frame))

    def formula(self, schema: Schema) -> Formula:
        return Formula(Keep(self._chosen(schema)))

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        table = flow(table_outline(inputs), lambda s: s.keep(self._chosen(s)), self.columns)
        return {"results_dataset": table}

    def _chosen(self, schema: Schema) -> tuple[str, ...]:
        return self.columns.resolve(schema, parameter="Select columns")
