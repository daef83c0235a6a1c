"""Values to put in place of missing ones: typed by the user, or learnt from a column."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import polars as pl

from modelwright.components.errors import ComponentError, EmptyTable
from modelwright.components.palette.data_transformation.column_faults import (
    ColumnAllMissing,
    InfiniteValue,
)
from modelwright.data.expression import Scalar
from modelwright.data.expression.functions.conversion import (
    datetime_of_text,
    double_of_text,
    integer_of_text,
)
from modelwright.data.expression.table import named
from modelwright.data.schema import Column, ColumnType
from modelwright.data.table import Table

_TRUTH = {"true": True, "false": False, "1": True, "0": False}


class UnfitReplacement(ComponentError):
    """The value to put in cannot be a value of a selected column."""

    code = "unfit-replacement"

    def __init__(self, parameter: str, value: str, column: Column) -> None:
        super().__init__(
            f'"{parameter}" is {value!r}, which is no {column.type.value} value; '
            f'column "{column.name}" is {column.type.value}.',
            remedy="Choose a value that fits all selected columns, or treat columns of different "
            "types in steps of their own.",
            parameter=parameter,
            value=value,
            column=column.name,
            type=column.type.value,
        )


def typed(text: str, column: Column, *, parameter: str) -> Scalar:
    """The text as a value of the column's type; an empty text is a value of text columns only.

    Raises UnfitReplacement when it cannot be one, and for numbers that are not finite.
    """
    read: Mapping[ColumnType, Callable[[str], Scalar]] = {
        ColumnType.STRING: str,
        ColumnType.INTEGER: integer_of_text,
        ColumnType.DOUBLE: double_of_text,
        ColumnType.BOOLEAN: lambda t: _TRUTH.get(t.strip().lower()),
        ColumnType.DATETIME: datetime_of_text,
    }
    value = read[column.type](text) if column.type in read else None
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        raise UnfitReplacement(parameter, text, column)
    return value


def missing_counts(table: Table, names: Sequence[str]) -> dict[str, int]:
    """How many values of each column are null or not a number."""
    counts = {name: table.frame.get_column(name).null_count() for name in names}
    doubles = [name for name in names if table.frame.schema[name].is_float()]
    if doubles:
        found = table.frame.select(named(name).is_nan().sum() for name in doubles)
        counts.update({n: counts[n] + c for n, c in found.row(0, named=True).items()})
    return counts


def given(table: Table, name: str) -> pl.Expr:
    """The values of a column that are not missing."""
    value = named(name)
    return (value.fill_nan(None) if table.frame.schema[name].is_float() else value).drop_nulls()


def learnt(
    table: Table, names: Sequence[str], find: Callable[[pl.Expr], pl.Expr], what: str
) -> dict[str, Scalar]:
    """One value of each column, from those that are there.

    find: from the values to a single one.  what: words for it, such as "the mean".
    Raises EmptyTable, ColumnAllMissing, and InfiniteValue for a number that is not finite.
    """
    if not table.rows:
        raise EmptyTable("dataset")
    if not names:
        return {}
    found = table.frame.select(find(given(table, name)).alias(name) for name in names)
    values: dict[str, Scalar] = found.row(0, named=True)
    for name, value in values.items():
        if value is None:
            remedy = "Leave the column out, put in a value of your own, or remove the column."
            raise ColumnAllMissing(name, what, remedy=remedy)
        if isinstance(value, float) and not math.isfinite(value):
            raise InfiniteValue(name, what)
    return values


def mean(value: pl.Expr) -> pl.Expr:
    """The mean; true counts as 1."""
    return value.cast(pl.Float64).mean()


def median(value: pl.Expr) -> pl.Expr:
    """The median: of an even number of values the mean of the middle two."""
    return value.cast(pl.Float64).median()


def mode(value: pl.Expr) -> pl.Expr:
    """The most frequent value; of several the smallest."""
    return value.mode().min()
