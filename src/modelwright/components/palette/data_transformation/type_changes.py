"""Columns brought to another type: what may be lost on the way is an error."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import polars as pl

from modelwright.components.errors import ColumnTypeError, ComponentError
from modelwright.data.expression import Compute, Expression, Formula, call, column
from modelwright.data.expression.table import named
from modelwright.data.schema import Column, ColumnType
from modelwright.data.table import Table

_BOOLEAN, _INTEGER, _DOUBLE = ColumnType.BOOLEAN, ColumnType.INTEGER, ColumnType.DOUBLE
_STRING, _DATETIME = ColumnType.STRING, ColumnType.DATETIME
# Those whose every value has a counterpart in the other type.
_LOSSLESS = {
    (_BOOLEAN, _INTEGER),
    (_BOOLEAN, _DOUBLE),
    (_BOOLEAN, _STRING),
    (_INTEGER, _BOOLEAN),
    (_INTEGER, _DOUBLE),
    (_INTEGER, _STRING),
    (_DOUBLE, _BOOLEAN),
    (_DOUBLE, _STRING),
    (_DATETIME, _DOUBLE),
    (_DATETIME, _STRING),
    (_DATETIME, _INTEGER),
}
# Directives that Polars reads as Python does; with others Python reads each different text.
_SHARED = re.compile(r"(?:%[YmdHMSbBj]|%%|[^%])*")


class ConversionError(ComponentError):
    """A column holds values that have no counterpart in the type it is to be brought to."""

    code = "could-not-convert-column"

    def __init__(self, column: str, value: str, row: int, count: int, wanted: str) -> None:
        others = f" and {count - 1} other rows" if count > 1 else ""
        super().__init__(
            f'Column "{column}" on port "dataset" holds {value} in row {row}{others}, '
            f"which cannot be made {wanted}.",
            remedy="Replace or clean such values first, or choose another type.",
            column=column,
            port="dataset",
            value=value,
            row=row,
            count=count,
            wanted=wanted,
        )


def is_lossless(before: ColumnType, after: ColumnType) -> bool:
    """Whether every value of one type has a counterpart in the other, so that nothing can fail."""
    return before is after or (before, after) in _LOSSLESS


def refuse_impossible(before: Column, after: ColumnType) -> None:
    """Raise ColumnTypeError where no value of the one type has a counterpart in the other."""
    apart = {before.type, after} == {_BOOLEAN, _DATETIME}
    if before.type is ColumnType.OTHER or apart:
        raise ColumnTypeError(
            before.name,
            before.type.value,
            f"a type that can be made {after.value}",
            port="dataset",
            remedy="Leave the column out of the selection.",
        )


def cast(before: Column, after: ColumnType) -> Expression:
    """The conversion as an expression; of moments to Integer in whole seconds, rounded down."""
    value = column(before.name)
    if (before.type, after) == (_DATETIME, _INTEGER):
        return call("floor", value.cast(_DOUBLE)).cast(_INTEGER)
    return value.cast(after)


def converted(table: Table, names: tuple[str, ...], after: ColumnType, form: str) -> pl.DataFrame:
    """The table's rows with these columns in another type.

    form: how dates are written, in Python's directives; empty for ISO 8601.
    Raises ConversionError with the first value that has no counterpart.
    """
    frame = table.frame
    for name in names:
        before = table.schema.column(name)
        if before.type is after:
            continue
        old = frame.get_column(name)
        if after is _DATETIME and before.type.is_numeric:
            new = _moments_of_seconds(old)
        elif after is _DATETIME and form:
            new = _moments_of_text(old, form)
        else:
            formula = Formula(Compute({name: cast(before, after)}))
            new = formula.apply(frame.select(named(name))).to_series(0)
        _refuse_lost(old, new, after, form)
        frame = frame.with_columns(new)
    return frame


def _refuse_lost(old: pl.Series, new: pl.Series, after: ColumnType, form: str) -> None:
    lost = new.is_null() & old.is_not_null()
    if old.dtype.is_float():
        lost = lost & old.is_not_nan()
        if after is _INTEGER:
            # Cutting the fraction off would be a loss that nobody asked for.
            lost = lost | (new.cast(pl.Float64) != old).fill_null(value=False)
    rows = lost.arg_true()
    if len(rows):
        row, wanted = int(rows[0]), after.value
        wanted += f" by the format {form!r}" if form else ""
        raise ConversionError(old.name, repr(old[row]), row + 1, len(rows), wanted)


def _moments_of_seconds(column: pl.Series) -> pl.Series:
    """Seconds since 1970-01-01 as moments, to the microsecond; null for what 64 bits do not hold."""
    held = column.set(column.abs() > 2**63 // 1_000_000, None)
    micros = held * 1_000_000
    whole = micros.round() if micros.dtype.is_float() else micros
    return whole.cast(pl.Int64, strict=False).cast(pl.Datetime("us"))


def _moments_of_text(column: pl.Series, form: str) -> pl.Series:
    if _SHARED.fullmatch(form):
        found = column.str.to_datetime(form, strict=False, time_unit="us")
    else:
        found = pl.Series(column.name, [None], dtype=pl.Datetime("us")).new_from_index(
            0, len(column)
        )
    # Python is the more lenient reader, and the one whose directives these are.
    unread = column.filter(found.is_null()).drop_nulls().unique()
    moments = [_moment(text, form) for text in unread]
    if any(moment is not None for moment in moments):
        read = pl.Series(moments, dtype=pl.Datetime("us"))
        rest = column.replace_strict(unread, read, default=None, return_dtype=pl.Datetime("us"))
        found = found.fill_null(rest) if found.null_count() < len(found) else rest
    return found.alias(column.name)


def _moment(text: str, form: str) -> datetime | None:
    try:
        moment = datetime.strptime(text, form)  # noqa: DTZ007  # a format may hold no zone
    except ValueError:
        return None
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
