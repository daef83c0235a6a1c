"""The one-line expressions by which Split Data tells rows apart."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

import polars as pl

from modelwright.components.errors import ComponentError
from modelwright.data.expression.table import named
from modelwright.data.few_values import numbered
from modelwright.data.schema import Column, ColumnType, Schema

_FEW = 1024
_COLUMN = re.compile(r'\s*(?:\\"([^"]+)"|\(\\(\d+)\))')
_COMPARISON = re.compile(
    r"""\s*(<=|>=|==|!=|<|>)\s*(?:"([^"]*)"|'([^']*)'|([^\s&|<>=!"'][^&|<>=!"']*?))\s*(?=[&|]|$)"""
)
_CLOCKS = ("", " %H:%M", " %H:%M:%S", "T%H:%M", "T%H:%M:%S")
_DATES = tuple(day + clock for day in ("%Y-%m-%d", "%m/%d/%Y", "%Y/%m/%d") for clock in _CLOCKS)
_COMPARE: dict[str, Callable[[pl.Expr, Any], pl.Expr]] = {
    "<": lambda left, right: left < right,
    ">": lambda left, right: left > right,
    "<=": lambda left, right: left <= right,
    ">=": lambda left, right: left >= right,
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
}


class SplitExpressionError(ComponentError):
    """An expression that tells rows apart cannot be understood."""

    code = "invalid-split-expression"

    def __init__(self, parameter: str, expression: str, why: str, remedy: str) -> None:
        super().__init__(
            f'"{parameter}" is {expression!r}: {why}.',
            remedy=remedy,
            parameter=parameter,
            expression=expression,
            why=why,
        )


@dataclass(frozen=True)
class Pattern:
    """A regular expression that is looked for in one column."""

    column: Column
    pattern: re.Pattern[str]

    def holds(self, frame: pl.DataFrame) -> pl.Series:
        """True for each row whose text holds the pattern; a missing value holds none."""
        text = frame.get_column(self.column.name).cast(pl.String)
        # Python's own rules are promised, so each different text is tried once by Python.
        if few := numbered(text, most=_FEW):
            tried = [t is not None and self.pattern.search(t) is not None for t in few.values]
            return few.by_row(pl.Series(tried, dtype=pl.Boolean))
        found = [t for t in text.unique() if t is not None and self.pattern.search(t)]
        return text.is_in(pl.Series(found, dtype=pl.String)).fill_null(value=False)


@dataclass(frozen=True)
class Relation:
    """Comparisons of one column with values: any of `terms`, each of them all of its comparisons."""

    column: Column
    terms: tuple[tuple[tuple[str, Any], ...], ...]

    def holds(self, frame: pl.DataFrame) -> pl.Series:
        """True for each row that satisfies it; a missing value satisfies nothing."""
        value = named(self.column.name)
        if self.column.type is ColumnType.DOUBLE:
            value = value.fill_nan(None)
        if self.column.type is ColumnType.DATETIME:
            # The date in the expression is read as a date of the column's own time zone.
            value = value.dt.replace_time_zone(None)
        satisfied = pl.any_horizontal(
            pl.all_horizontal(_COMPARE[operator](value, right) for operator, right in term)
            for term in self.terms
        )
        return frame.select(satisfied.fill_null(value=False)).to_series()


def parse_pattern(text: str, schema: Schema, *, parameter: str) -> Pattern:
    r"""Read an expression such as `\"Text" Gryphon` or `(\1) ^[a-f]`.

    Raises SplitExpressionError, and MissingColumn for a name that is not there.
    """
    column, rest = _column(text, schema, parameter)
    if column.type is ColumnType.OTHER:
        _refuse(parameter, text, f'column "{column.name}" holds values that are no text')
    pattern = rest.lstrip()
    if not pattern or pattern == rest:
        _refuse(parameter, text, "after the column come a blank and a pattern")
    try:
        return Pattern(column, re.compile(pattern))
    except re.error as error:
        _refuse(parameter, text, f"{pattern!r} is no regular expression ({error})")


def parse_relation(text: str, schema: Schema, *, parameter: str) -> Relation:
    r"""Read an expression such as `\"Year" > 2010` or `(\0) <= 30 & != 20`.

    `&` binds more tightly than `|`.  Raises SplitExpressionError, and MissingColumn for a name that
    is not there.
    """
    column, rest = _column(text, schema, parameter)
    terms: list[list[tuple[str, Any]]] = [[]]
    place = 0
    while True:
        match = _COMPARISON.match(rest, place)
        if not match:
            why = f"a comparison such as > 10 is expected at {rest[place:].strip() or 'its end'!r}"
            if _COLUMN.match(rest, place):
                why = "it names a column a second time"
            _refuse(parameter, text, why)
        operator = match[1]
        written = next(part for part in (match[2], match[3], match[4]) if part is not None)
        terms[-1].append((operator, _value(written, operator, column, text, parameter)))
        place = match.end()
        joint = rest[place : place + 1]
        place += 1
        if not joint:
            return Relation(column, tuple(tuple(term) for term in terms))
        if joint == "|":
            terms.append([])


def _column(text: str, schema: Schema, parameter: str) -> tuple[Column, str]:
    match = _COLUMN.match(text)
    if not match:
        _refuse(parameter, text, "it does not begin with a column")
    rest = text[match.end() :]
    if match[1] is not None:
        return schema.column(match[1], port="dataset"), rest
    position = int(match[2])
    if position >= len(schema):
        count = len(schema)
        _refuse(parameter, text, f"it asks for column {position}, counted from 0, of {count}")
    return schema.columns[position], rest


def _value(written: str, operator: str, column: Column, text: str, parameter: str) -> Any:
    kind = column.type
    if kind.is_numeric:
        number = _number(written)
        if number is None:
            _refuse(parameter, text, f"{written!r} is no number, and the column is {kind.value}")
        return number
    if kind is ColumnType.DATETIME:
        moment = _moment(written)
        if moment is None:
            why = f"{written!r} is no date such as 2010-01-31, 1/31/2010 or 2010-01-31 12:00"
            _refuse(parameter, text, why)
        return moment
    if kind is ColumnType.OTHER:
        _refuse(parameter, text, f'column "{column.name}" holds values that cannot be compared')
    if operator not in ("==", "!="):
        _refuse(parameter, text, f"a column of type {kind.value} is compared with == and != only")
    if kind is ColumnType.STRING:
        return written
    if written.lower() not in ("true", "false"):
        _refuse(parameter, text, f"{written!r} is neither true nor false")
    return written.lower() == "true"


def _number(written: str) -> int | float | None:
    try:
        number = float(written)
    except ValueError:
        return None
    if math.isnan(number):
        return None
    # Whole numbers beyond 2**53 would lose digits as floats.
    whole = re.fullmatch(r"[+-]?\d{1,18}", written)
    return int(written) if whole else number


def _moment(written: str) -> datetime | None:
    for form in _DATES:
        try:
            return datetime.strptime(written, form)  # noqa: DTZ007  # columns hold no zone either
        except ValueError:
            continue
    return None


def _refuse(parameter: str, text: str, why: str) -> NoReturn:
    form = r'\"Text" ^[a-f]' if parameter == "Regular expression" else r'\"Year" > 2010 & != 2015'
    remedy = rf'Write the column as \"NAME" or (\0), then the condition: {form}.'
    raise SplitExpressionError(parameter, text, why, remedy)
