"""Values to put in place of missing ones: typed by the user, or learnt from a column."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from modelwright.components.errors import ComponentError, EmptyTable
from modelwright.components.palette.data_transformation.column_faults import (
    ColumnAllMissing,
    InfiniteValue,
)
from modelwright.components.palette.data_transformation.quantiles import quantiles_of
from modelwright.data import large_columns
from modelwright.data.expression import Scalar
from modelwright.data.expression.functions.conversion import (
    datetime_of_text,
    double_of_text,
    integer_of_text,
)
from modelwright.data.expression.table import named
from modelwright.data.few_values import numbered
from modelwright.data.memory import is_large
from modelwright.data.schema import Column, ColumnType
from modelwright.data.side_by_side import side_by_side
from modelwright.data.table import Table

# Of so many values it is counted how often each occurs.
_FEW_VALUES = 1 << 14
_PART = 1 << 17
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
    doubles = _doubles(table, names)
    found = side_by_side(
        lambda name: int(table.frame.get_column(name).is_nan().sum()),
        doubles,
        values=table.rows * len(doubles),
    )
    for name, more in zip(doubles, found, strict=True):
        counts[name] += more
    return counts


def _doubles(table: Table, names: Sequence[str]) -> list[str]:
    return [name for name in names if table.schema.column(name).type is ColumnType.DOUBLE]


@dataclass(frozen=True)
class Figure:
    """A value learnt from a column, in two ways that agree.

    of: from the values, nulls among them, to a single one, as `of_numbers` takes it.  large: the same, from a column of which no
    copy can be made; missing values are null or not a number.
    """

    of: Callable[[pl.Expr], pl.Expr]
    large: Callable[[pl.Series], Scalar]


MEAN = Figure(lambda value: value.cast(pl.Float64).mean(), large_columns.mean)
"""The mean; true counts as 1."""


def _mode(column: pl.Series) -> Scalar:
    if column.dtype.is_float():
        column = column.drop_nans()
    few = numbered(column, most=_FEW_VALUES)
    if few is None:
        found: Scalar = column.drop_nulls().mode().min()  # type: ignore[assignment]
        return found
    counts = np.zeros(len(few.values), dtype=np.int64)
    for at in range(0, len(column), _PART):
        counts += np.bincount(few.numbers[at : at + _PART], minlength=len(counts))
    counts[few.values.is_null().to_numpy()] = 0
    # The values rise, so that the first of several is the smallest.
    return few.values[int(counts.argmax())] if counts.any() else None


MODE = Figure(
    lambda value: value.map_batches(
        lambda column: pl.Series([_mode(column)], dtype=column.dtype), returns_scalar=True
    ),
    large_columns.mode,
)
"""The most frequent value; of several the smallest."""

SMALLEST = Figure(lambda value: value.cast(pl.Float64).min(), large_columns.smallest)

LARGEST = Figure(lambda value: value.cast(pl.Float64).max(), large_columns.largest)


def learnt(table: Table, names: Sequence[str], figure: Figure, what: str) -> dict[str, Scalar]:
    """One value of each column, from those that are there.

    what: words for it, such as "the mean".
    Raises EmptyTable, ColumnAllMissing, and InfiniteValue for a number that is not finite.
    """
    if not table.rows:
        raise EmptyTable("dataset")
    if not names:
        return {}
    if is_large(table.frame):
        return _given_all({n: figure.large(table.frame.get_column(n)) for n in names}, what)
    found = of_numbers(table.frame, names, figure.of)
    return _given_all(found, what)


def of_numbers(
    frame: pl.DataFrame, names: Sequence[str], figure: Callable[[pl.Expr], pl.Expr]
) -> dict[str, Scalar]:
    """A figure of each column, for which not a number is missing.

    figure: passes over such values, or is itself not a number where there are any.
    """
    found = frame.select(figure(named(n)).alias(n) for n in names).row(0, named=True)
    again = [n for n, value in found.items() if isinstance(value, float) and math.isnan(value)]
    if again:
        found |= frame.select(figure(named(n).fill_nan(None)).alias(n) for n in again).row(
            0, named=True
        )
    return found


def learnt_quantiles(
    table: Table, names: Sequence[str], shares: Sequence[float], what: str
) -> dict[str, list[float]]:
    """Quantiles of each column, by the values that are there.  what and Raises: as in `learnt`."""
    if not table.rows:
        raise EmptyTable("dataset")
    found = quantiles_of(table.frame, names, shares)
    for at in range(len(shares)):
        _given_all({name: values[at] for name, values in found.items()}, what)
    return {name: [v for v in values if v is not None] for name, values in found.items()}


def _given_all(values: dict[str, Scalar], what: str) -> dict[str, Scalar]:
    for name, value in values.items():
        if value is None:
            remedy = "Leave the column out, put in a value of your own, or remove the column."
            raise ColumnAllMissing(name, what, remedy=remedy)
        if isinstance(value, float) and not math.isfinite(value):
            raise InfiniteValue(name, what)
    return values


def medians(table: Table, names: Sequence[str]) -> dict[str, Scalar]:
    """The median of each column: of an even number of values the mean of the middle two.

    Raises as `learnt`.
    """
    return {n: v[0] for n, v in learnt_quantiles(table, names, (0.5,), "the median").items()}
