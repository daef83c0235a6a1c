"""Convert to Dataset: one value of a table made missing, or replaced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from pydantic import Field

from modelwright.components.context import Context
from modelwright.components.contract import Component, Titled
from modelwright.components.outline import Outline
from modelwright.components.palette.column_flow import flow, table_outline
from modelwright.components.palette.data_transformation.replacements import (
    UnfitReplacement,
    typed,
)
from modelwright.components.parameters import Shown
from modelwright.data.expression import Compute, Expression, Formula, column, when
from modelwright.data.expression.table import named
from modelwright.data.schema import Column, ColumnType, Schema
from modelwright.data.side_by_side import side_by_side
from modelwright.data.table import Table


class ConvertToDataset(Component, category="Data Transformation", title="Convert to Dataset"):
    """Make one value of a table missing, or put another in its place, in every column.

    A value is read as the type of each column asks: 3 is also 3.0, and true is TRUE.  Only whole cells
    match, text with its upper and lower case.  In a column that cannot hold the value, nothing is
    found or put in; the log names each column that the new value does not fit.
    """

    action: Annotated[
        Literal["None", "SetMissingValue", "ReplaceValues"], Field(title="Action")
    ] = "None"
    """What is done: nothing, making a value missing, or putting another in its place."""

    missing_value: Annotated[
        str, Field(title="Custom missing value"), Shown(action="SetMissingValue")
    ] = "?"
    """The value that stands for a missing one."""

    replace: Annotated[
        Literal["Missing", "Custom"], Field(title="Replace"), Shown(action="ReplaceValues")
    ] = "Missing"
    """Whether missing values or a value of your own are replaced."""

    custom_value: Annotated[
        str, Field(title="Custom value"), Shown(action="ReplaceValues", replace="Custom")
    ] = ""
    """The value to look for."""

    new_value: Annotated[str, Field(title="New Value"), Shown(action="ReplaceValues")] = "0"
    """The value to put in."""

    def run(
        self, dataset: Table, *, context: Context
    ) -> Annotated[Table, Titled("Results dataset")]:
        if self.action == "ReplaceValues":
            for unfit in (c for c in dataset.schema if not _holds(c, self.new_value)):
                told = f'Column "{unfit.name}" is {unfit.type.value} and cannot hold'
                context.log(f"{told} {self.new_value!r}; nothing is replaced there.")
        # A column that does not hold the value is passed on as it is.
        held = self._holding(dataset)
        return dataset.of(
            self._of(c for c in dataset.schema if c.name in held).apply(dataset.frame)
        )

    def formula(self, schema: Schema) -> Formula:
        return self._of(schema)

    def _of(self, columns: Iterable[Column]) -> Formula:
        changed = {c.name: value for c in columns if (value := self._changed(c)) is not None}
        return Formula(Compute(changed)) if changed else Formula()

    def _holding(self, table: Table) -> set[str]:
        """The columns that may hold the value that is looked for."""
        sought = self.missing_value if self.action == "SetMissingValue" else self.custom_value
        if self.action == "ReplaceValues" and self.replace == "Missing":
            return set(table.schema.names)
        told = {
            c.name: (named(c.name) == typed(sought, c, parameter="")).any()
            for c in table.schema
            if c.type is not ColumnType.DATETIME and _holds(c, sought)
        }
        # Text takes longest, so it comes first.
        names = sorted(
            told, key=lambda name: table.schema.column(name).type is not ColumnType.STRING
        )
        found = side_by_side(
            lambda name: bool(table.frame.select(told[name]).item()),
            names,
            values=table.rows * len(names),
        )
        lacking = {name for name, held in zip(names, found, strict=True) if not held}
        return set(table.schema.names) - lacking

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        return {"results_dataset": flow(table_outline(inputs), lambda s: s)}

    def _changed(self, before: Column) -> Expression | None:
        """The new values of a column; None where nothing changes."""
        value = column(before.name)
        if self.action == "SetMissingValue" and _holds(before, self.missing_value):
            found = value.equals(
                typed(self.missing_value, before, parameter="Custom missing value")
            )
            return when(found, None, value)
        if self.action != "ReplaceValues" or not _holds(before, self.new_value):
            return None
        new = typed(self.new_value, before, parameter="New Value")
        if self.replace == "Missing":
            return value.fill_missing(new)
        if not _holds(before, self.custom_value):
            return None
        return when(
            value.equals(typed(self.custom_value, before, parameter="Custom value")), new, value
        )


def _holds(column: Column, text: str) -> bool:
    """Whether the text can be a value of the column."""
    try:
        typed(text, column, parameter="")
    except UnfitReplacement:
        return False
    return True
