"""Edit Metadata: types, flags, roles and names of columns."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from modelwright.components.columns import ColumnSelection
from modelwright.components.contract import Component, Titled
from modelwright.components.errors import ComponentError, InvalidParameter
from modelwright.components.outline import Outline
from modelwright.components.palette.column_flow import flow, table_outline
from modelwright.components.palette.data_transformation.type_changes import (
    cast,
    converted,
    is_lossless,
    refuse_impossible,
)
from modelwright.components.parameters import Columns, Control, Shown
from modelwright.data.expression import Compute, DuplicateColumn, Formula, Rename, Step
from modelwright.data.schema import Column, ColumnType, Role, Schema
from modelwright.data.table import Table

_MOST_CATEGORIES, _MOST_DISTINCT = 1000, 0.97
# The first one of so many parts of the rows often tells.
_FIRST = 16


class WrongNumberOfNames(ComponentError):
    """There are more or fewer new names than columns to be renamed."""

    code = "wrong-number-of-names"

    def __init__(self, names: int, columns: Sequence[str]) -> None:
        super().__init__(
            f'"New column names" has {names} names for {len(columns)} selected columns.',
            remedy="Write one name for each selected column, in their order, with commas between.",
            names=names,
            columns=list(columns),
        )


class TooManyCategories(ComponentError):
    """A column whose values hardly ever repeat is to be categorical."""

    code = "too-many-categories"

    def __init__(self, column: str, distinct: int, rows: int) -> None:
        super().__init__(
            f'Column "{column}" on port "dataset" has {distinct} different values in {rows} rows, '
            "which are too many for categories.",
            remedy="Leave the column out of the selection, or group its values first.",
            column=column,
            port="dataset",
            distinct=distinct,
            rows=rows,
        )


class EditMetadata(Component, category="Data Transformation"):
    """Change the type, the categorical flag, the role or the name of columns.

    Every change is made to all selected columns alike; what is left unset stays as it is.

    Types: the values are converted.  One that has no counterpart, such as a word among numbers or a
    fraction that is to be an Integer, is an error and never becomes missing silently.  A number is
    true unless it is 0; text is true or false, or 1 or 0.  Dates in text are read by the format, or as
    ISO 8601 without one; numbers and dates convert as seconds since 1970-01-01, and so take no format.

    Roles: a column has one role.  Label, Feature and the clearing of a role leave the marks of columns
    that are not selected as they are; a label or score that is cleared is a feature again, and a
    feature that is cleared has no role.  Categorical is refused for a column of more than 1000
    different values that hardly ever (in less than 3 % of the rows) repeat.
    """

    columns: Annotated[ColumnSelection, Columns("dataset"), Field(title="Column")] = (
        ColumnSelection()
    )
    """The columns to be changed."""

    data_type: Annotated[
        Literal["String", "Integer", "Double", "Boolean", "DateTime"] | None,
        Field(title="Data type"),
    ] = None
    """The type to convert to; types stay as they are when unset."""

    date_format: Annotated[str, Field(title="DateTime Format"), Shown(data_type="DateTime")] = ""
    """How dates are written in text, such as %d/%m/%Y; ISO 8601 when empty."""

    categorical: Annotated[
        Literal["Categorical", "Not categorical"] | None, Field(title="Categorical")
    ] = None
    """Whether values only tell groups apart; the flags stay as they are when unset."""

    role: Annotated[
        Literal["Feature", "Label", "Clear feature", "Clear label", "Clear score"] | None,
        Field(title="Fields"),
    ] = None
    """The role to set or to clear; roles stay as they are when unset."""

    new_names: Annotated[str, Control("names"), Field(title="New column names")] = ""
    """A name for each selected column, in their order, with commas between; "a, b" in quotes."""

    def run(self, dataset: Table) -> Annotated[Table, Titled("Results dataset")]:
        chosen = self._chosen(dataset.schema)
        if self.categorical == "Categorical":
            self._refuse_too_many(dataset, chosen)
        marks = self._after(dataset.schema)
        formula = self.formula(dataset.schema)
        if formula is not None or self.data_type is None:
            return Table((formula or Formula()).apply(dataset.frame), marks)
        frame = converted(dataset, chosen, ColumnType(self.data_type), self.date_format)
        return Table(frame.rename(self._renamed(chosen)), marks)

    def formula(self, schema: Schema) -> Formula | None:
        self._after(schema)
        chosen, steps = self._chosen(schema), list[Step]()
        if self.data_type is not None:
            wanted = ColumnType(self.data_type)
            changed = [c for n in chosen if (c := schema.column(n)).type is not wanted]
            # A value without a counterpart must be an error, which a formula cannot raise.
            if not all(is_lossless(c.type, wanted) for c in changed):
                return None
            if changed:
                steps.append(Compute({c.name: cast(c, wanted) for c in changed}))
        if renamed := self._renamed(chosen):
            steps.append(Rename(renamed))
        return Formula(*steps)

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        return {"results_dataset": flow(table_outline(inputs), self._after, self.columns)}

    def _chosen(self, schema: Schema) -> tuple[str, ...]:
        return self.columns.resolve(schema, parameter="Column")

    def _after(self, schema: Schema) -> Schema:
        """The columns after the changes; refuses what is certain to fail."""
        chosen = self._chosen(schema)
        for name in chosen:
            self._refuse_unfit(schema.column(name))
        renamed = self._renamed(chosen)
        kept = [name for name in schema.names if name not in renamed]
        for name in renamed.values():
            if name in kept:
                raise DuplicateColumn(name)
        return schema.put(*(self._changed(schema.column(n)) for n in chosen)).rename(renamed)

    def _refuse_unfit(self, column: Column) -> None:
        if self.data_type is None:
            return
        refuse_impossible(column, ColumnType(self.data_type))
        if self.data_type == "DateTime" and self.date_format and column.type.is_numeric:
            raise InvalidParameter(
                "DateTime Format",
                self.date_format,
                f'column "{column.name}" is {column.type.value}, and numbers count seconds since 1970',
                remedy="Leave the format empty, or convert the column to String first.",
            )

    def _changed(self, column: Column) -> Column:
        if self.data_type is not None:
            column = replace(column, type=ColumnType(self.data_type))
        if self.categorical is not None:
            column = replace(column, categorical=self.categorical == "Categorical")
        if self.role == "Label":
            return replace(column, role=Role.LABEL, score=None)
        cleared = {"Clear label": Role.LABEL, "Clear score": Role.SCORE}
        if self.role == "Feature" or (self.role and cleared.get(self.role) is column.role):
            return replace(column, role=Role.FEATURE, score=None)
        if self.role == "Clear feature" and column.role is Role.FEATURE:
            return replace(column, role=Role.NONE)
        return column

    def _renamed(self, chosen: Sequence[str]) -> dict[str, str]:
        """Old and new names.  Raises WrongNumberOfNames, InvalidParameter and DuplicateColumn."""
        if not self.new_names.strip():
            return {}
        row = next(csv.reader([self.new_names.replace("\n", " ")], skipinitialspace=True))
        names = [name.strip() for name in row]
        if "" in names:
            raise InvalidParameter(
                "New column names", self.new_names, f"name {names.index('') + 1} is empty"
            )
        if len(names) != len(chosen):
            raise WrongNumberOfNames(len(names), chosen)
        for at, name in enumerate(names):
            if name in names[:at]:
                raise DuplicateColumn(name)
        return dict(zip(chosen, names, strict=True))

    def _refuse_too_many(self, table: Table, chosen: Sequence[str]) -> None:
        for name in chosen:
            values = table.frame.get_column(name).drop_nulls()
            if len(values) <= _MOST_CATEGORIES:
                continue
            # Rows that are alike among the first ones are so among all.
            first = values.head(len(values) // _FIRST)
            if len(first) - first.n_unique() > (1 - _MOST_DISTINCT) * len(values):
                continue
            distinct = values.n_unique()
            if distinct > _MOST_CATEGORIES and distinct > _MOST_DISTINCT * len(values):
                raise TooManyCategories(name, distinct, len(values))
