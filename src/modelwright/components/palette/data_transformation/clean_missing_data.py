"""Clean Missing Data: missing values filled, or the rows or columns that hold them taken out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from modelwright.components.columns import ColumnSelection
from modelwright.components.contract import Component, Replay
from modelwright.components.errors import ColumnTypeError, ComponentError, InvalidParameter
from modelwright.components.outline import Outline, TableOutline, TransformOutline
from modelwright.components.palette.column_flow import flow, table_outline
from modelwright.components.palette.data_transformation.replacements import (
    MEAN,
    MODE,
    learnt,
    medians,
    missing_counts,
    typed,
)
from modelwright.components.parameters import Columns, Shown
from modelwright.data.expression import (
    Compute,
    Drop,
    DuplicateColumn,
    Filter,
    Formula,
    Scalar,
    column,
)
from modelwright.data.expression.scalars import encoded
from modelwright.data.fitted import Transform
from modelwright.data.schema import Column, ColumnType, Schema
from modelwright.data.table import Table

_CUSTOM, _MEAN, _MEDIAN, _MODE, _ROW, _COLUMN = (
    "Custom substitution value",
    "Replace with mean",
    "Replace with median",
    "Replace with mode",
    "Remove entire row",
    "Remove entire column",
)
_FILLS = (_CUSTOM, _MEAN, _MEDIAN, _MODE)
_NUMBERS = (ColumnType.INTEGER, ColumnType.DOUBLE)
_SUITS = {
    _CUSTOM: (*_NUMBERS, ColumnType.BOOLEAN, ColumnType.STRING, ColumnType.DATETIME),
    _MEAN: (*_NUMBERS, ColumnType.BOOLEAN),
    _MEDIAN: _NUMBERS,
    _MODE: (*_NUMBERS, ColumnType.BOOLEAN, ColumnType.STRING, ColumnType.DATETIME),
}


class NoColumnLeft(ComponentError):
    """A step would take every column out of a table."""

    code = "no-column-left"

    def __init__(self, why: str) -> None:
        super().__init__(
            f'No column of the data on port "dataset" would be left: {why}.',
            remedy="Select fewer columns, or change the limits of the missing value ratio.",
            port="dataset",
            why=why,
        )


class Cleaned(NamedTuple):
    cleaned_dataset: Table
    cleaning_transformation: Transform


class CleanMissingData(
    Component,
    category="Data Transformation",
    at_inference=Replay("dataset", "cleaning_transformation", "cleaned_dataset"),
):
    """Fill missing values, or take out the rows or columns that hold them.

    A value is missing when it is empty or not a number.  Each selected column is judged by itself:
    it is cleaned when its share of missing values lies within the two limits, both included; other
    columns stay as they are and do not matter, for the removing of rows neither.

    Mean and median make an Integer or Boolean column a Double, true counting as 1, whether or not it
    lacks a value.  The mode is the most frequent value; of several the smallest, for text the first
    in order of characters.  A column without any value has none of the three: that is an error.
    Text may be filled with its mode whether it is marked categorical or not.  A replacement for dates
    is written as 2020-01-31, with a time or without.

    The transformation keeps what was learnt here and does the same to other rows: it fills every
    cleaned column, also one that had all its values here; it takes out rows in which a cleaned
    column is missing; and it takes out the same columns, whatever they hold there.

    With the indicator option each cleaned column NAME gets a column NAME_IsMissing that is true where
    a value was filled in.  Where rows or columns are removed there is nothing to indicate.
    """

    columns: Annotated[
        ColumnSelection, Columns("dataset"), Field(title="Columns to be cleaned")
    ] = ColumnSelection(begin="all")
    """The columns in which missing values are looked for."""

    minimum_ratio: Annotated[float, Field(title="Minimum missing value ratio", ge=0, le=1)] = 0.0
    """Smallest share of missing values with which a column is cleaned, from 0 to 1."""

    maximum_ratio: Annotated[float, Field(title="Maximum missing value ratio", ge=0, le=1)] = 1.0
    """Largest share of missing values with which a column is cleaned, from 0 to 1."""

    mode: Annotated[
        Literal[
            "Custom substitution value",
            "Replace with mean",
            "Replace with median",
            "Replace with mode",
            "Remove entire row",
            "Remove entire column",
        ],
        Field(title="Cleaning mode"),
    ] = "Remove entire row"
    """What is done about a missing value; it must suit the type of every selected column."""

    replacement: Annotated[str, Field(title="Replacement value"), Shown(mode=_CUSTOM)] = "0"
    """The value to put in; it must fit the type of every selected column."""

    indicators: Annotated[
        bool, Field(title="Generate missing value indicator column"), Shown(mode=_FILLS)
    ] = False
    """Whether a column is added for each cleaned one that tells where a value was filled in."""

    @property
    def learns_from_rows(self) -> bool:
        return self.mode in ("Replace with mean", "Replace with median", "Replace with mode")

    def run(self, dataset: Table) -> Cleaned:
        selected = self._selected(dataset.schema)
        missing = missing_counts(dataset, selected)
        # Of a table without rows no share is missing.
        shares = {name: missing[name] / (dataset.rows or 1) for name in selected}
        within = [n for n in selected if self.minimum_ratio <= shares[n] <= self.maximum_ratio]
        fills = self._fills(dataset, within)
        removed = [n for n in within if missing[n]] if self.mode == _COLUMN else []
        if removed and len(removed) == len(dataset.schema):
            raise NoColumnLeft("each of them lacks values")
        about: dict[str, Any] = {
            name: {"missing": missing[name]}
            | ({"value": encoded(fills[name])} if name in fills else {})
            for name in within
        }
        transform = Transform(
            self._formula(dataset.schema, within, fills, removed),
            dataset.schema,
            learnt={"mode": self.mode, "rows": dataset.rows, "columns": about, "removed": removed},
            made_by=self.__component__.title,
        )
        return Cleaned(transform.apply(dataset), transform)

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        table = flow(table_outline(inputs), self._checked, self.columns)
        if table is None:
            return super().outline(**inputs)
        selected = self._selected(table.schema)
        # Only the rows tell which columns the limits let through, and which ones are removed.
        certain = self.mode != _COLUMN and (self.minimum_ratio, self.maximum_ratio) == (0, 1)
        schema, complete = table.schema, table.complete
        if certain:
            schema = schema.put(*(self._after(schema.column(n)) for n in selected))
            schema = _with_indicators(schema, selected) if self._flags else schema
        elif self.mode != _ROW:
            unsure = [n for n in selected if self._may_change(schema.column(n))]
            schema = schema.drop(unsure)
            complete = complete and not unsure and not self._flags
        given = TableOutline(schema, complete, None if self.mode == _ROW else table.rows)
        fitted = TransformOutline(selected if certain else (), given)
        return {"cleaned_dataset": given, "cleaning_transformation": fitted}

    @property
    def _flags(self) -> bool:
        return self.indicators and self.mode in _FILLS

    def _checked(self, schema: Schema) -> Schema:
        self._selected(schema)
        return schema

    def _selected(self, schema: Schema) -> tuple[str, ...]:
        """The selected columns; refuses what cannot work on them."""
        if self.minimum_ratio > self.maximum_ratio:
            raise InvalidParameter(
                "Minimum missing value ratio",
                self.minimum_ratio,
                f"it is above the maximum, {self.maximum_ratio:g}",
            )
        selected = self.columns.resolve(schema, parameter="Columns to be cleaned")
        suited = _SUITS.get(self.mode, tuple(ColumnType))
        for name in selected:
            found = schema.column(name)
            if found.type not in suited:
                raise ColumnTypeError(
                    name,
                    found.type.value,
                    f'{" or ".join(t.value for t in suited)} for "{self.mode}"',
                    port="dataset",
                    remedy="Take the column out of the selection, or choose another cleaning mode.",
                )
            if self.mode == _CUSTOM:
                typed(self.replacement, found, parameter="Replacement value")
        return selected

    def _after(self, before: Column) -> Column:
        """The column once it is cleaned."""
        return replace(before, type=ColumnType.DOUBLE) if self.mode in (_MEAN, _MEDIAN) else before

    def _may_change(self, before: Column) -> bool:
        """Whether cleaning takes the column out or changes its type."""
        return self.mode == _COLUMN or self._after(before) != before

    def _fills(self, table: Table, names: Sequence[str]) -> dict[str, Scalar]:
        """The value to put into each column; none where rows or columns are removed."""
        if self.mode == _CUSTOM:
            columns = [table.schema.column(name) for name in names]
            return {
                c.name: typed(self.replacement, c, parameter="Replacement value") for c in columns
            }
        if self.mode == _MEAN:
            return learnt(table, names, MEAN, "the mean")
        if self.mode == _MEDIAN:
            return medians(table, names)
        if self.mode == _MODE:
            return learnt(table, names, MODE, "the mode")
        return {}

    def _formula(
        self,
        schema: Schema,
        within: Sequence[str],
        fills: Mapping[str, Scalar],
        removed: Sequence[str],
    ) -> Formula:
        if self.mode == _ROW:
            # A filter for each column, so that a dropped row is told which value it lacks.
            return Formula(
                *(Filter(~column(n).is_missing(), f'Column "{n}" has no value.') for n in within)
            )
        if self.mode == _COLUMN:
            return Formula(Drop(removed)) if removed else Formula()
        computed = {}
        for name in within:
            kind = self._after(schema.column(name)).type
            value = column(name)
            if kind is not schema.column(name).type:
                value = value.cast(kind)
            computed[name] = value.fill_missing(fills[name])
        if self._flags:
            _with_indicators(schema, within)
            computed.update({_indicator(n): column(n).is_missing() for n in within})
        return Formula(Compute(computed)) if computed else Formula()


def _indicator(name: str) -> str:
    return f"{name}_IsMissing"


def _with_indicators(schema: Schema, names: Sequence[str]) -> Schema:
    """The schema with an indicator for each name.  Raises DuplicateColumn."""
    for name in names:
        if _indicator(name) in schema:
            raise DuplicateColumn(_indicator(name))
    return schema.put(*(Column(_indicator(name), ColumnType.BOOLEAN) for name in names))
