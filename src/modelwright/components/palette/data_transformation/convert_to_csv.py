"""Convert to CSV: a table that fits into a CSV file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from modelwright.components.contract import Component, Titled
from modelwright.components.errors import ColumnTypeError
from modelwright.components.outline import Outline
from modelwright.components.palette.column_flow import flow, table_outline
from modelwright.data.expression import Formula
from modelwright.data.schema import ColumnType, Schema
from modelwright.data.table import Table


class ConvertToCSV(Component, category="Data Transformation", title="Convert to CSV"):
    """Pass on a table that a CSV file can hold.

    Every result can be downloaded or registered as CSV; this step makes sure that it fits, and
    refuses columns of lists and other nested values.  Rows, roles and flags stay as they are.
    """

    def run(self, dataset: Table) -> Annotated[Table, Titled("Results dataset")]:
        return dataset.of(self.formula(dataset.schema).apply(dataset.frame))

    def formula(self, schema: Schema) -> Formula:
        for column in schema:
            if column.type is ColumnType.OTHER:
                raise ColumnTypeError(
                    column.name,
                    "a nested value",
                    "text, a number, a date or true and false",
                    port="dataset",
                    remedy="Leave the column out with Select Columns in Dataset.",
                )
        return Formula()

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        return {
            "results_dataset": flow(table_outline(inputs), lambda s: self.formula(s).outputs(s))
        }
