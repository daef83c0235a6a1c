"""Conversions between types; a value without a counterpart gives null, and so does not a number."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from modelwright.data.expression.functions.form import (
    BOOLEAN,
    DATETIME,
    DOUBLE,
    INTEGER,
    STRING,
    Form,
    Function,
)
from modelwright.data.expression.functions.later import np, pl
from modelwright.data.schema import ColumnType

_INTEGER = re.compile(r"\s*[+-]?[0-9]{1,30}\s*", re.ASCII)
_DOUBLE = re.compile(
    r"\s*[+-]?(?:[0-9]+\.?[0-9]*(?:e[+-]?[0-9]+)?|\.[0-9]+(?:e[+-]?[0-9]+)?|inf(?:inity)?)\s*",
    re.ASCII | re.IGNORECASE,
)
_TRUTH = {"true": True, "false": False, "1": True, "0": False}
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # naive by definition: all are in UTC


def integer_of_text(a: str) -> int | None:
    """Decimal digits with an optional sign, spaces around them allowed; 64 bits at the most."""
    if not _INTEGER.fullmatch(a):
        return None
    found = int(a)
    return found if -(2**63) <= found < 2**63 else None


def double_of_text(a: str) -> float | None:
    """A decimal number, with an exponent or not, or inf; spaces around it allowed."""
    return float(a) if _DOUBLE.fullmatch(a) else None


def datetime_of_text(a: str) -> datetime | None:
    """ISO 8601; a time with an offset is brought to UTC."""
    try:
        found = datetime.fromisoformat(a.strip())
        return found if found.tzinfo is None else found.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None


def _integer_of_double(a: float) -> int | None:
    return int(a) if -9223372036854775808.0 <= a < 9223372036854775808.0 else None


def _text_of_double(a: float) -> str | None:
    return None if a != a else repr(float(a))


def _texts_of_integers(numbers: pl.Series) -> pl.Series:
    """Each written once, where there are few."""
    from modelwright.data.few_values import numbered

    few = numbered(numbers, most=len(numbers) // 4)
    return few.by_row(few.values.cast(pl.String)) if few else numbers.cast(pl.String)


def _seconds(a: datetime) -> float:
    since = a - _EPOCH
    micros = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return float(micros) / 1e6


def _same(kind: ColumnType) -> Form:
    return Form(takes=(kind,), gives=kind, row=lambda a: a, inline="{0}", table=lambda a: a)


FUNCTIONS = (
    Function(
        "to_boolean",
        (
            _same(BOOLEAN),
            Form(
                takes=(INTEGER,),
                gives=BOOLEAN,
                row=bool,
                inline="({0} != 0)",
                table=lambda a: a != 0,
            ),
            Form(
                takes=(DOUBLE,),
                gives=BOOLEAN,
                row=lambda a: None if a != a else a != 0.0,
                partial=True,
                table=lambda a: pl.when(a.is_not_nan()).then(a != 0.0),
            ),
            Form(
                takes=(STRING,),
                gives=BOOLEAN,
                row=lambda a: _TRUTH.get(a.strip().lower()),
                partial=True,
            ),
        ),
    ),
    Function(
        "to_integer",
        (
            Form(
                takes=(BOOLEAN,),
                gives=INTEGER,
                row=int,
                inline="(+{0})",
                table=lambda a: a.cast(pl.Int64),
            ),
            _same(INTEGER),
            Form(
                takes=(DOUBLE,),
                gives=INTEGER,
                row=_integer_of_double,
                partial=True,
                table=lambda a: a.cast(pl.Int64, strict=False),
            ),
            Form(takes=(STRING,), gives=INTEGER, row=integer_of_text, partial=True),
        ),
    ),
    Function(
        "to_double",
        (
            _same(DOUBLE),
            Form(takes=(STRING,), gives=DOUBLE, row=double_of_text, partial=True),
            Form(
                takes=(DATETIME,),
                gives=DOUBLE,
                row=_seconds,
                # Microseconds since 1970 is what a column of date-times holds.
                vector=lambda a: np.divide(a, 1e6),
            ),
        ),
    ),
    Function(
        "to_string",
        (
            _same(STRING),
            Form(
                takes=(BOOLEAN,),
                gives=STRING,
                row=lambda a: "true" if a else "false",
                inline="('true' if {0} else 'false')",
                table=lambda a: a.cast(pl.String),
            ),
            Form(
                takes=(INTEGER,),
                gives=STRING,
                row=str,
                table=lambda a: a.map_batches(
                    _texts_of_integers, return_dtype=pl.String(), is_elementwise=True
                ),
            ),
            Form(takes=(DOUBLE,), gives=STRING, row=_text_of_double, partial=True),
            Form(takes=(DATETIME,), gives=STRING, row=datetime.isoformat),
        ),
    ),
    Function(
        "to_datetime",
        (
            _same(DATETIME),
            Form(takes=(STRING,), gives=DATETIME, row=datetime_of_text, partial=True),
        ),
    ),
)
