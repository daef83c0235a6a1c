"""Single values: what a literal, a category or a bin label can be."""

from __future__ import annotations

import math
import sys
from collections.abc import Hashable, Iterable
from datetime import UTC, date, datetime
from typing import Any

from modelwright.data.expression.errors import (
    ExpressionTypeMismatch,
    InvalidExpression,
    MalformedFormula,
)
from modelwright.data.schema import ColumnType

Scalar = None | bool | int | float | str | datetime
"""A value of a column; date-times are naive and in UTC, whole numbers have 64 bits."""

SMALLEST_INTEGER = -(2**63)
LARGEST_INTEGER = 2**63 - 1

_RANK = {ColumnType.BOOLEAN: 0, ColumnType.INTEGER: 1, ColumnType.DOUBLE: 2}


def scalar(value: object) -> Scalar:
    """The value as one of the plain Python types; NumPy's and other subclasses are unwrapped.

    A date becomes its midnight, a date-time with a zone is brought to UTC.
    Raises InvalidExpression for any other type and for whole numbers beyond 64 bits.
    """
    match value:
        case None | bool():
            return value
        case int():
            if not SMALLEST_INTEGER <= value <= LARGEST_INTEGER:
                raise InvalidExpression(f"The whole number {value}", "it needs more than 64 bits")
            return int(value)
        case float():
            return float(value)
        case str():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise InvalidExpression(
                    f"The text {value!a}", "it holds half of a surrogate pair"
                ) from None
            return str(value)
        case datetime():
            if value.tzinfo is not None:
                value = value.astimezone(UTC)
            return datetime(  # noqa: DTZ001  # naive by definition: all are in UTC
                value.year, value.month, value.day,
                value.hour, value.minute, value.second, value.microsecond,
            )  # fmt: skip
        case date():
            return datetime(value.year, value.month, value.day)  # noqa: DTZ001
        case _ if (plain := _from_numpy(value)) is not None:
            return scalar(plain)
    raise InvalidExpression(
        f"A value of type {type(value).__name__}",
        "values are text, numbers, true, false, date-times or nothing",
    )


def _from_numpy(value: object) -> bool | int | float | None:
    """NumPy's truth values and numbers as Python's; None for anything else."""
    # Who has such a value has loaded NumPy; nobody else need load it to learn that this is none.
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return None
    if isinstance(value, numpy.bool_):
        return bool(value)
    if isinstance(value, numpy.integer):
        return int(value)
    if isinstance(value, numpy.floating):
        return float(value)
    return None


def scalar_type(value: Scalar) -> ColumnType | None:
    """The column type that holds the value; None for a missing value, which fits all of them."""
    match value:
        case None:
            return None
        case bool():
            return ColumnType.BOOLEAN
        case int():
            return ColumnType.INTEGER
        case float():
            return ColumnType.DOUBLE
        case str():
            return ColumnType.STRING
        case datetime():
            return ColumnType.DATETIME


def fits(given: ColumnType | None, wanted: ColumnType) -> bool:
    """Whether a value of the given type can stand where the other is wanted.

    True and false count as 1 and 0, a whole number as a fractional one; nothing else is converted.
    """
    if given is None or given is wanted:
        return True
    return given in _RANK and wanted in _RANK and _RANK[given] < _RANK[wanted]


def unified(types: Iterable[ColumnType | None], what: str) -> ColumnType | None:
    """The narrowest type that all of them fit; None when all are bare missing values.

    Raises ExpressionTypeMismatch, naming `what`, when there is none.
    """
    found: ColumnType | None = None
    for given in types:
        if given is None:
            continue
        if given is ColumnType.OTHER:
            raise ExpressionTypeMismatch(what, [given], "values of one of the plain types")
        if found is None or fits(found, given):
            found = given
        elif not fits(given, found):
            raise ExpressionTypeMismatch(what, [found, given], "values of one type")
    return found


def converted(value: Scalar, wanted: ColumnType | None) -> Scalar:
    """The value in a type that it fits."""
    if wanted is ColumnType.DOUBLE and isinstance(value, int):
        return float(value)
    if wanted is ColumnType.INTEGER and isinstance(value, bool):
        return int(value)
    return value


def exact(value: object) -> Hashable:
    """A stand-in that is equal only for values of equal type and bits: 1, 1.0 and true differ."""
    match value:
        case bool():
            return ("boolean", value)
        case float():
            return ("double", repr(value))
        case tuple():
            return tuple(exact(v) for v in value)
    return value


def encoded(value: Scalar) -> Any:
    """The value as JSON that `decoded` reads back with its type."""
    if isinstance(value, float) and not math.isfinite(value):
        return {"number": repr(value)}
    if isinstance(value, datetime):
        return {"datetime": value.isoformat()}
    return value


def decoded(value: Any) -> Scalar:
    """Read what `encoded` wrote.  Raises MalformedFormula."""
    match value:
        case {"number": "nan" | "inf" | "-inf" as text, **rest} if not rest:
            return float(text)
        case {"datetime": str(text), **rest} if not rest:
            try:
                return datetime.fromisoformat(text)
            except ValueError as error:
                raise MalformedFormula(str(error)) from error
        case None | bool() | int() | float() | str():
            return value
    raise MalformedFormula(f"{str(value)[:80]} is not a value")


def order(value: Scalar) -> tuple[str, Any]:
    """A sort key by type, then value."""
    kind = scalar_type(value)
    if kind is None:
        return ("", 0)
    if isinstance(value, float):
        # Not a number has no place among numbers, and -0.0 must not tie with 0.0.
        number = math.inf if math.isnan(value) else value
        return (kind, (number, repr(value)))
    return (kind, value)
